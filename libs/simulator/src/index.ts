export { Simulation, SimulationFailure, type SimulationOptions, type SimulationReport } from './simulator.js';
