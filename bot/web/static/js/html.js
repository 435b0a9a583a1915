/** The one door to Preact: templates without a build step, and the hooks the screens use. */
import { Fragment, h, render } from "../vendor/preact/preact.js";
import htm from "../vendor/htm/htm.js";

export const html = htm.bind(h);
export { Fragment, render };
export {
    useCallback,
    useEffect,
    useLayoutEffect,
    useMemo,
    useRef,
    useState,
} from "../vendor/preact/hooks.js";
