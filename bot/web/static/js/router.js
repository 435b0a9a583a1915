/** Which screen is shown, from the part of the address behind the #: the server knows one page. */
import { useEffect, useState } from "./html.js";

/** `{name, rest}` of an address such as "#/position/BTC%2FUSDT%3AUSDT"; the board without one. */
export function parsed(hash) {
    const [, name = "", ...rest] = hash.replace(/^#/, "").split("/");
    return { name: name || "board", rest: rest.map(decodeURIComponent) };
}

export function useRoute() {
    const [route, setRoute] = useState(parsed(location.hash));
    useEffect(() => {
        const changed = () => {
            setRoute(parsed(location.hash));
            scrollTo(0, 0);
        };
        addEventListener("hashchange", changed);
        return () => removeEventListener("hashchange", changed);
    }, []);
    return route;
}
