/** The ways between the screens: a column on a desk, a bar under the thumb on a phone. */
import { html, useState } from "./html.js";
import { SignOut } from "./session.js";
import { isDark, toggleTheme } from "./theme.js";

export const SCREENS = [
    { name: "board", text: "Risk board", short: "Board", isMain: true },
    { name: "portfolio", text: "Portfolio", isMain: true },
    { name: "alerts", text: "Alerts", isMain: true },
    { name: "calculators", text: "Calculators", short: "Calculate", isMain: true },
    { name: "ledger", text: "Margin ledger" },
    { name: "trades", text: "Trades and equity" },
    { name: "backtests", text: "Backtests, sweeps" },
    { name: "logs", text: "Logs" },
    { name: "health", text: "Health, settings" },
];

const PATHS = {
    board: "M3 12h18M7 8v8M12 6l3-3H9zM17 9v6",
    portfolio: "M4 20V10M10 20V4M16 20v-7M22 20H2",
    alerts: "M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4",
    calculators: "M6 3h12v18H6zM9 7h6M9 12h1M14 12h1M9 16h1M14 16h1",
    ledger: "M5 4h14v16H5zM9 9h6M9 13h6",
    trades: "M3 17l6-6 4 4 8-9",
    backtests: "M4 19V5M4 19h16M8 15l3-4 3 2 4-6",
    logs: "M4 6h16M4 12h16M4 18h10",
    health: "M3 12h4l2-6 4 12 2-6h6",
    more: "M5 12h.01M12 12h.01M19 12h.01",
};

const Icon = ({ name }) =>
    html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;

function Way({ screen, current, alerts }) {
    const isHere = current === screen.name || (current === "position" && screen.name === "board");
    const hasAlerts = screen.name === "alerts" && alerts > 0;
    return html`<li class=${screen.isMain ? "main-way" : "other-way"}><a href=${`#/${screen.name}`}
        aria-current=${isHere ? "page" : undefined}>
        <${Icon} name=${screen.name} /><span class="long-name">${screen.text}</span>
        <span class="short-name">${screen.short ?? screen.text}</span>
        ${hasAlerts && html`<span class="badge">${alerts}<span class="hidden"> open</span></span>`}</a></li>`;
}

export function Navigation({ current, alerts }) {
    const [, redraw] = useState(0);
    const turn = () => {
        toggleTheme();
        redraw((count) => count + 1);
    };
    const isMore = SCREENS.some((screen) => screen.name === current && !screen.isMain) || current === "more";
    return html`<nav class="ways" aria-label="Screens"><ul>
        ${SCREENS.map((screen) => html`<${Way} key=${screen.name} screen=${screen} current=${current}
            alerts=${alerts} />`)}
        <li class="more-way"><a href="#/more" aria-current=${isMore ? "page" : undefined}><${Icon}
            name="more" /><span>More</span></a></li>
    </ul><div><${SignOut} /><button class="quiet theme" onClick=${turn}>
        ${isDark() ? "Light colours" : "Dark colours"}</button></div></nav>`;
}

/** What the bar of a phone has no room for. */
export function MoreScreen() {
    return html`<div class="page"><h1>More</h1><ul class="more-list">
        ${SCREENS.filter((screen) => !screen.isMain).map(
            (screen) => html`<li key=${screen.name}>
            <a href=${`#/${screen.name}`}><${Icon} name=${screen.name} />${screen.text}</a></li>`,
        )}
        </ul><p><button onClick=${toggleTheme}>Change between light and dark</button></p><${SignOut} />
            </div>`;
}
