export { bundleThreadEntry } from './bundle-entry.js';
export { Door } from './doors.js';
export { freePort } from './free-port.js';
export { watchLeaks, type LeakCheck, type LeakOptions } from './leaks.js';
export {
  parseScript,
  rewriteScript,
  runScriptFile,
  scriptFiles,
  type CommandRunner,
  type Script,
  type ScriptCommand,
} from './script.js';
export { TcpProxy, type Admission, type BlackHole, type Latency, type TcpProxyOptions } from './tcp-proxy.js';
export { TempFolder } from './temp-folder.js';
