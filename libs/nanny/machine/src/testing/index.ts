export { aNanny } from './a-nanny.js';
export { nannyScript } from './script.js';
