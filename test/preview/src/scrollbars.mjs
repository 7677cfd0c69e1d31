// A package that was an ES module before it became CommonJS: @grafana/ui expects its
// default export, which Node's rules, that esbuild follows, hide in another one.
import scrollbars from "../node_modules/react-custom-scrollbars-2/lib/index.js";

export default scrollbars.default;
