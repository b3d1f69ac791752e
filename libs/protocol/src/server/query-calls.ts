/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** What anybody may ask the scheduler: keys, workers, where to scatter to, and running a function at once. */
import { asWorkerId, LimitExceededError, UnknownWorkerError } from '@spillway/kernel';
import { spillway } from '@spillway/proto';
import { count, required, text, texts } from '../from-wire/checks.js';
import { keys, runRequest } from '../from-wire/values.js';
import { keyInfoToWire, workerInfoToWire } from '../to-wire/queries.js';
import { holderToWire, holdingToWire, runOutcomeToWire } from '../to-wire/values.js';
import type { CallFactory, ServedCall } from './calls.js';
import { pageOf } from './pages.js';
import type { SchedulerHandlers } from './scheduler-handlers.js';

const wire = spillway.v1;
const methods = wire.SchedulerService.prototype;
const DESCRIBED_KEYS_MAX = 10_000;
const WORKERS_PAGE_MAX = 1000;
const HOLDINGS_PAGE_MAX = 10_000;

export function queryCalls(calls: CallFactory, handlers: SchedulerHandlers): Record<string, ServedCall> {
  return { ...keyCalls(calls, handlers), ...workerCalls(calls, handlers) };
}

function keyCalls(calls: CallFactory, handlers: SchedulerHandlers): Record<string, ServedCall> {
  return {
    describeKeys: calls.unary(
      methods.describeKeys,
      wire.DescribeKeysRequest,
      wire.DescribeKeysResponse,
      (request) => {
        if (request.keys.length > DESCRIBED_KEYS_MAX) {
          throw new LimitExceededError(`Ask about at most ${DESCRIBED_KEYS_MAX} keys at a time.`);
        }
        return { keys: handlers.describeKeys(keys(request.keys)).map(keyInfoToWire) };
      },
    ),
    planScatter: calls.unary(
      methods.planScatter,
      wire.PlanScatterRequest,
      wire.PlanScatterResponse,
      (request) => {
        const holders = handlers.planScatter(
          count(request.nbytes, 'nbytes'),
          count(request.copies, 'copies'),
          texts(request.workers, 'workers'),
        );
        return { holders: holders.map(holderToWire) };
      },
    ),
  };
}

function workerCalls(calls: CallFactory, handlers: SchedulerHandlers): Record<string, ServedCall> {
  return {
    listWorkers: calls.unary(
      methods.listWorkers,
      wire.ListWorkersRequest,
      wire.ListWorkersResponse,
      (request) => {
        const { items, nextPageToken } = pageOf(handlers.listWorkers(), request, WORKERS_PAGE_MAX);
        return { workers: items.map(workerInfoToWire), nextPageToken };
      },
    ),
    hasWhat: calls.unary(methods.hasWhat, wire.HasWhatRequest, wire.HasWhatResponse, (request) => {
      const workerId = asWorkerId(text(request.workerId, 'worker_id'));
      const holdings = handlers.hasWhat(workerId);
      if (holdings === undefined) {
        throw new UnknownWorkerError(`No worker ${workerId} is registered.`, { details: { workerId } });
      }
      const { items, nextPageToken } = pageOf(holdings, request, HOLDINGS_PAGE_MAX);
      return { holdings: items.map(holdingToWire), nextPageToken };
    }),
    runOnWorkers: calls.unary(
      methods.runOnWorkers,
      wire.RunOnWorkersRequest,
      wire.RunOnWorkersResponse,
      async (request, signal) => {
        const outcomes = await handlers.runOnWorkers(
          required(request.request, 'request', runRequest),
          texts(request.workers, 'workers'),
          signal,
        );
        return {
          outcomes: outcomes.map(({ workerId, outcome }) => ({
            workerId,
            outcome: runOutcomeToWire(outcome),
          })),
        };
      },
    ),
  };
}
