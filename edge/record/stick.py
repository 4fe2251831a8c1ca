"""What stands beside an exported record, for who finds it without us."""

README = """\
The common record of {site}: {entries} entries
==============================================

Every alert, acknowledgement, decision and change at the checkpoint, in order. Both countries hold
the same record, and either can prove alone that nothing in it was edited, removed, moved or
inserted. Nobody's name is in it: only roles and keys.

  garita audit verify THIS_FOLDER --keys YOUR_OWN_KEYRING
  garita audit ls THIS_FOLDER

needs no network. Use a keyring that you have from elsewhere: the keys beside this file prove
nothing by themselves. Add --against OLDER_FOLDER to prove that an older copy is a part of this one.

  entries/        one entry a line, JSON; the bytes of a line are what is hashed
  hashes/         SHA-256 of 0x00 and each line (RFC 6962): tells which line was changed
  checkpoint.txt  "{origin}", how many, and the root, signed by the checkpoint (C2SP
                  signed-note, tlog-checkpoint)
  cosignatures/   the same, cosigned by each country's centre (tlog-cosignature)
  keys.json       public keys; keys.txt the same for other programs

What it cannot show: that something happened which was never entered.


El registro común de {site}: {entries} asientos
===============================================

Cada alerta, acuse, decisión y cambio en el punto de control, en orden. Los dos países tienen el
mismo registro, y cada uno puede probar por sí solo que nada fue editado, quitado, movido ni
añadido. No contiene nombres de personas: solo funciones y claves.

  garita audit verify ESTA_CARPETA --keys SU_PROPIO_LLAVERO
  garita audit ls ESTA_CARPETA

no necesita red. Use un llavero que tenga de otra fuente: las claves junto a este archivo no prueban
nada por sí mismas. Con --against CARPETA_ANTERIOR prueba que una copia anterior es parte de esta.

  entries/        un asiento por línea, JSON; los bytes de la línea son lo que se resume
  hashes/         SHA-256 de 0x00 y cada línea (RFC 6962): dice qué línea se cambió
  checkpoint.txt  "{origin}", cuántos y la raíz, firmado por el punto de control
  cosignatures/   lo mismo, refrendado por el centro de cada país
  keys.json       claves públicas; keys.txt las mismas para otros programas

Lo que no puede mostrar: que ocurrió algo que nunca se asentó.
"""
