export { MapContainer } from './map-container.js';
export { TwoMapContainer } from './two-map-container.js';
