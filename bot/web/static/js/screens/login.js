/** Signing in. The password goes to the bot and nowhere else; the session is a cookie no script can read. */
import { html, useState } from "../html.js";
import { post } from "../api.js";

export default function LoginScreen({ onSignedIn }) {
    const [password, setPassword] = useState("");
    const [wrong, setWrong] = useState("");
    const [isBusy, setBusy] = useState(false);
    const enter = async (event) => {
        event.preventDefault();
        setBusy(true);
        try {
            await post("login", { password });
            onSignedIn();
        } catch (trouble) {
            setWrong(`${trouble.title}. ${trouble.detail} ${trouble.nextStep}`);
            setPassword("");
            setBusy(false);
        }
    };
    return html`<main class="login"><form class="card form" onSubmit=${enter}><h1>Ringfence</h1>
        <p class="faint">The bot goes on whether you sign in or not.</p>
        <div class="field"><label for="password">Password</label>
            <input id="password" type="password" autocomplete="current-password" required value=${password}
                onInput=${(event) => setPassword(event.target.value)} /></div>
        <p class="refusal" role="alert">${wrong && `\u26a0 ${wrong}`}</p>
        <button type="submit" class="main" disabled=${isBusy || password === ""}>Sign in</button></form>
            </main>`;
}
