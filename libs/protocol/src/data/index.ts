/**
 * The data plane: values between workers and clients (architecture.md D4). `DataServer` and `DataClient` are its two
 * ends; `DataRelay` and `RelayClient` the way through the scheduler, for clients that cannot reach a worker.
 */
export { DataClient } from './data-client.js';
export { DataServer, type DataServerOptions, TASKS_HEALTH_NAME } from './data-server.js';
export type { WantedValue } from './fetch-answer.js';
export type { PeerChannelsOptions } from './peer-channels.js';
export { DataRelay, type DataRelayOptions } from './relay.js';
export { RelayClient, type RelayClientOptions } from './relay-client.js';
export type { DataSource, ServedValue, StreamedValue } from './served-value.js';
export type { TransferOptions } from './transfer-options.js';
export { DATA_SERVICE_NAME } from './wire.js';
