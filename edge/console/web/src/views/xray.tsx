import { t } from "../words";

export function Xray({ id }: { id: string }) {
  return <p class="quiet">{t("xray_none", { id })}</p>;
}
