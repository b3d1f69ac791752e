/** Graphs for clients without a control stream, in any language: submit, wait, put data in, release, cancel, close. */
import { asClientId, asSubmissionId, InvalidArgumentError, type ClientId } from '@spillway/kernel';
import type { TaskSpec } from '@spillway/messages';
import { spillway } from '@spillway/proto';
import { each, invalid, text } from '../from-wire/checks.js';
import { scatteredData } from '../from-wire/client.js';
import { keys, taskSpec } from '../from-wire/values.js';
import { keyOutcomeToWire } from '../to-wire/queries.js';
import type { CallFactory, ServedCall } from './calls.js';
import type { SchedulerHandlers } from './scheduler-handlers.js';

const wire = spillway.v1;
const methods = wire.SchedulerService.prototype;

const clientIdOf = (request: { readonly clientId: string }): ClientId =>
  asClientId(text(request.clientId, 'client_id'));

export function graphCalls(calls: CallFactory, handlers: SchedulerHandlers): Record<string, ServedCall> {
  return { ...submitCalls(calls, handlers), ...keyCalls(calls, handlers) };
}

function submitCalls(calls: CallFactory, handlers: SchedulerHandlers): Record<string, ServedCall> {
  return {
    submitGraph: calls.clientStream(
      methods.submitGraph,
      wire.SubmitGraphRequest,
      wire.SubmitGraphResponse,
      async (parts) => {
        const iterator = parts[Symbol.asyncIterator]();
        const first = await iterator.next();
        if (first.done === true) throw new InvalidArgumentError('A graph needs at least one part.');
        const { clientId, submissionId, wants } = first.value;
        await handlers.submitGraph(
          clientIdOf({ clientId }),
          asSubmissionId(text(submissionId, 'submission_id')),
          tasksOf(first.value, iterator),
          keys(wants, 'wants'),
        );
        return {};
      },
    ),
    registerData: calls.unary(
      methods.registerData,
      wire.RegisterDataRequest,
      wire.RegisterDataResponse,
      async (request, signal) => {
        if (request.holders.length === 0) throw invalid('holders', 'names no worker');
        await handlers.registerData(clientIdOf(request), scatteredData(request), signal);
        return {};
      },
    ),
  };
}

function keyCalls(calls: CallFactory, handlers: SchedulerHandlers): Record<string, ServedCall> {
  return {
    waitForKeys: calls.unary(
      methods.waitForKeys,
      wire.WaitForKeysRequest,
      wire.WaitForKeysResponse,
      async (request, signal) => {
        const outcomes = await handlers.waitForKeys(clientIdOf(request), keys(request.keys), signal);
        return { outcomes: outcomes.map(keyOutcomeToWire) };
      },
    ),
    releaseKeys: calls.unary(
      methods.releaseKeys,
      wire.ReleaseKeysRequest,
      wire.ReleaseKeysResponse,
      (request) => {
        handlers.releaseKeys(clientIdOf(request), keys(request.keys));
        return {};
      },
    ),
    cancelKeys: calls.unary(
      methods.cancelKeys,
      wire.CancelKeysRequest,
      wire.CancelKeysResponse,
      (request) => {
        handlers.cancelKeys(clientIdOf(request), keys(request.keys), request.force);
        return {};
      },
    ),
    closeClient: calls.unary(
      methods.closeClient,
      wire.CloseClientRequest,
      wire.CloseClientResponse,
      (request) => {
        handlers.closeClient(clientIdOf(request));
        return {};
      },
    ),
  };
}

async function* tasksOf(
  first: spillway.v1.SubmitGraphRequest,
  rest: AsyncIterator<spillway.v1.SubmitGraphRequest>,
): AsyncGenerator<readonly TaskSpec[]> {
  yield each(first.tasks, 'tasks', taskSpec);
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    yield each(next.value.tasks, 'tasks', taskSpec);
  }
}
