export { RamStore } from './ram-store.js';
