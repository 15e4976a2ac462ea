// Preloaded into Azurite by `node --require`. Its telemetry is turned off, and to load what would
// send it (Application Insights, OpenTelemetry) is four fifths of its start.
const Module = require("node:module");

const load = Module._load;
Module._load = (name, ...rest) => (name === "applicationinsights" ? {} : load(name, ...rest));
