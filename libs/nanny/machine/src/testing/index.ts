export { aNanny } from './a-nanny.js';
export { exited, start, stimulusId, stop, tick, typesOf, verdictIn } from './nanny-events.js';
export { nannyScript } from './script.js';
