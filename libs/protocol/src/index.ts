/**
 * Proto and gRPC: the only library that sees wire types or status codes. Links of clients, workers and nannies to the
 * scheduler, its server, queries, the nanny's service, and the data plane.
 */
export type { ChannelSecurity, ServerSecurity } from './channel/security.js';
export {
  DATA_SERVICE_NAME,
  DataClient,
  DataRelay,
  DataServer,
  RelayClient,
  TASKS_HEALTH_NAME,
  type DataRelayOptions,
  type DataServerOptions,
  type DataSource,
  type PeerChannelsOptions,
  type RelayClientOptions,
  type ServedValue,
  type StreamedValue,
  type TransferOptions,
  type WantedValue,
} from './data/index.js';
export { decodeJournalRecords, encodeJournalRecords } from './journal/journal-codec.js';
export { openClientLink, openNannyLink, openWorkerLink, type LinkOptions } from './link/open-link.js';
export { NannyClient } from './nanny/nanny-client.js';
export type { NannySlotInfo, NannySlotStateName, NannyStatus } from './nanny/nanny-messages.js';
export {
  NANNY_SERVICE_NAME,
  NannyServer,
  type NannyHandlers,
  type NannyServerOptions,
} from './nanny/nanny-server.js';
export type { CallerOptions, CallOptions } from './queries/caller.js';
export type { WorkerRunOutcome } from './from-wire/queries.js';
export { SchedulerQueries } from './queries/scheduler-queries.js';
export type { SchedulerHandlers } from './server/scheduler-handlers.js';
export {
  SCHEDULER_SERVICE_NAME,
  SchedulerServer,
  type SchedulerServerOptions,
} from './server/scheduler-server.js';
export type {
  SessionEvent,
  SessionFrame,
  SessionInstruction,
  SessionOptions,
  Welcome,
} from './session/events.js';
export { SessionMachine } from './session/session-machine.js';
export { channelCredentials, serverCredentials } from './channel/security.js';
export { checkHealth, type HealthCheckOptions } from './standard/check-health.js';
export { HealthService } from './standard/health.js';
export { addReflection } from './standard/reflection.js';
export { fromServiceError, toServiceError } from './status.js';
export type { KeyOutcome } from './to-wire/queries.js';
