/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** Operators' calls that end workers on purpose: retire and restart. */
import { spillway } from '@spillway/proto';
import { durationMs, texts, words } from '../from-wire/checks.js';
import { retirementReportToWire } from '../retirement-reports.js';
import type { CallFactory, ServedCall } from './calls.js';
import type { SchedulerHandlers } from './scheduler-handlers.js';

const wire = spillway.v1;
const methods = wire.SchedulerService.prototype;
const REASON_LENGTH_MAX = 1_000;

export function leavingCalls(calls: CallFactory, handlers: SchedulerHandlers): Record<string, ServedCall> {
  return {
    retireWorkers: calls.serverStream(
      methods.retireWorkers,
      wire.RetireWorkersRequest,
      wire.RetireWorkersResponse,
      async function* ({ workers, deadline, reason }, signal) {
        const request = {
          workers: texts(workers, 'workers'),
          reason: words(reason, 'reason', REASON_LENGTH_MAX),
          ...(deadline === null || deadline === undefined
            ? {}
            : { deadlineMs: durationMs(deadline, 'deadline') }),
        };
        for await (const reports of handlers.retireWorkers(request, signal))
          yield { reports: reports.map(retirementReportToWire) };
      },
    ),
    restartWorkers: calls.unary(
      methods.restartWorkers,
      wire.RestartWorkersRequest,
      wire.RestartWorkersResponse,
      ({ workers, reason }) => ({
        workerIds: [
          ...handlers.restartWorkers(texts(workers, 'workers'), words(reason, 'reason', REASON_LENGTH_MAX)),
        ],
      }),
    ),
  };
}
