import { useState } from "preact/hooks";
import * as api from "../api";
import { me } from "../state";
import { language, speak, t } from "../words";

export function LogIn() {
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      me.value = await api.session.logIn(String(form.get("login")), String(form.get("password")));
    } catch (error) {
      const refused = error instanceof api.Refused ? error : null;
      setSaid(t(refused?.status === 429 ? "log_in_wait" : refused?.status === 401 ? "log_in_wrong" : "unreachable"));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="log-in">
      <form class="card" onSubmit={(event) => void submit(event)}>
        <h1>Garita</h1>
        <label>
          {t("login")}
          <input name="login" autoComplete="username" autoCapitalize="none" required autoFocus />
        </label>
        <label>
          {t("password")}
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <p class="bad" role="alert">
          {said}
        </p>
        <button class="main" disabled={busy}>
          {t("log_in")}
        </button>
        <button
          type="button"
          onClick={() => void speak(language.value === "en-US" ? "es-MX" : "en-US")}
        >
          {language.value === "en-US" ? "Español" : "English"}
        </button>
      </form>
    </main>
  );
}
