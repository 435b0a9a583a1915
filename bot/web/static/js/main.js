/** The page: the strip and the ways stay, the screen between them changes. */
import { html, render, useEffect, useState } from "./html.js";
import { onSignedOut } from "./api.js";
import { coin, percent } from "./figures.js";
import { Feed, isSilent, useFeed, useNow } from "./feed.js";
import { MoreScreen, Navigation } from "./navigation.js";
import { Notices } from "./notices.js";
import { useRoute } from "./router.js";
import { BoardScreen } from "./screens/board.js";
import { standing } from "./session.js";
import { Strip, worstOf } from "./strip.js";
import { startTheme } from "./theme.js";
import { Later } from "./later.js";

const SCREENS = {
    position: () => import("./screens/position.js"),
    portfolio: () => import("./screens/portfolio.js"),
    calculators: () => import("./screens/calculators.js"),
    ledger: () => import("./screens/ledger.js"),
    trades: () => import("./screens/trades.js"),
    backtests: () => import("./screens/backtests.js"),
    alerts: () => import("./screens/alerts.js"),
    logs: () => import("./screens/logs.js"),
    health: () => import("./screens/health.js"),
    login: () => import("./screens/login.js"),
};

/** What a tab in the background says: the worst distance, and whether it is old. */
function titleOf(board, isOld) {
    if (!board) return "Ringfence";
    const worst = worstOf(board);
    const place = worst ? `${percent(worst.distance)} ${coin(worst.symbol)} ${worst.side}` : "flat";
    const state = isOld ? "OLD " : board.guard.state === "halted" ? "HALTED " : "";
    return `${state}${place} \u00b7 Ringfence`;
}

function Title({ feed }) {
    const state = useFeed(feed);
    const isOld = isSilent(state, useNow(1_000));
    const title = titleOf(state.board, isOld);
    useEffect(() => {
        document.title = title;
    }, [title]);
    return null;
}

function Screen({ route, feed }) {
    if (route.name === "board") return html`<${BoardScreen} feed=${feed} />`;
    if (route.name === "more") return html`<${MoreScreen} />`;
    const load = SCREENS[route.name];
    if (!load)
        return html`<div class="page"><h1>There is no such screen</h1><p><a
            href="#/board">To the risk board</a></p></div>`;
    return html`<${Later} key=${route.name} load=${load} props=${{ feed, rest: route.rest }} />`;
}

function Footer() {
    return html`<footer class="foot">
        <p>Ringfence moves the isolated margin of open positions. It cannot give you an edge.</p>
        <p>Charts by <a href="https://www.tradingview.com/"
            rel="noreferrer">TradingView Lightweight Charts</a> and uPlot.
        Licences stand beside the files.</p></footer>`;
}

function App({ feed, isLetIn }) {
    const route = useRoute();
    const { board } = useFeed(feed);
    const [isSignedOut, setSignedOut] = useState(!isLetIn);
    useEffect(
        () =>
            onSignedOut(() => {
                feed.pause();
                setSignedOut(true);
            }),
        [],
    );
    if (isSignedOut) {
        const back = () => {
            setSignedOut(false);
            feed.start();
        };
        return html`<${Later} load=${SCREENS.login} props=${{ onSignedIn: back }} />`;
    }
    return html`<a class="skip" href="#content" onClick=${(event) => {
        event.preventDefault();
        document.getElementById("content").focus();
    }}>To the content</a>
        <${Title} feed=${feed} />
        <${Strip} feed=${feed} />
        <div class="frame"><${Navigation} current=${route.name} alerts=${board?.alerts_open ?? 0} />
            <main id="content" tabindex="-1"><${Screen} route=${route} feed=${feed} /><${Footer} /></main>
                </div>
        <${Notices} />`;
}

async function begin() {
    startTheme();
    const { is_let_in: isLetIn } = await standing();
    const feed = new Feed();
    if (isLetIn) feed.start();
    const place = document.getElementById("app");
    place.replaceChildren();
    render(html`<${App} feed=${feed} isLetIn=${isLetIn} />`, place);
}

begin();
