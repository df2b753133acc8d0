/**
 * The one file a site names: <script type="module" src="…/widget.js"></script>.
 * The component and what it imports live under static/, beside it on the same host.
 */
import "./static/backline-ask.js";
