export { bundleThreadEntry } from './bundle-entry.js';
