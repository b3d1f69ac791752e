export { startNanny, type NannyOptions, type RunningNanny } from './start-nanny.js';
