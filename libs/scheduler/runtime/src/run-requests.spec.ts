import { asStimulusId, asWorkerId, type WorkerId } from '@spillway/kernel';
import type { RunRequest, SchedulerToWorker } from '@spillway/messages';
import { RunRequests } from './run-requests.js';

const [w1, w2] = [asWorkerId('w1'), asWorkerId('w2')];
const request: RunRequest = {
  function: { kind: 'preinstalled', module: 'm', exportName: 'f' },
  args: { encoding: 'json', data: new Uint8Array() },
  timeoutMs: false,
};

function aRecorder(): { requests: RunRequests; sent: { to: WorkerId; message: SchedulerToWorker }[] } {
  const sent: { to: WorkerId; message: SchedulerToWorker }[] = [];
  return { sent, requests: new RunRequests((to, message) => sent.push({ to, message })) };
}

test('an outcome reaches the call that asked, whatever the order', async () => {
  const { requests, sent } = aRecorder();
  const { signal } = new AbortController();
  const first = requests.run(w1, request, asStimulusId('s'), signal);
  const second = requests.run(w2, request, asStimulusId('s'), signal);
  const [one, two] = sent.map(({ message }) => (message as { requestId: number }).requestId);
  const result = (text: string) => ({ encoding: 'json' as const, data: Buffer.from(text) });
  requests.settle(two!, { type: 'run-success', result: result('2') });
  requests.settle(one!, { type: 'run-success', result: result('1') });
  expect(await first).toEqual({ type: 'run-success', result: result('1') });
  expect(await second).toEqual({ type: 'run-success', result: result('2') });
});

test('a worker that is lost ends its runs as failures, and only its own', async () => {
  const { requests } = aRecorder();
  const { signal } = new AbortController();
  const lost = requests.run(w1, request, asStimulusId('s'), signal);
  let otherIsDone = false;
  void requests.run(w2, request, asStimulusId('s'), signal).then(() => (otherIsDone = true));
  requests.workerLost(w1);
  expect(await lost).toMatchObject({ type: 'run-failure', error: { code: 'KILLED_WORKER' } });
  expect(otherIsDone).toBe(false);
});

test('an aborted call ends at once, and a late outcome is ignored', async () => {
  const { requests, sent } = aRecorder();
  const abort = new AbortController();
  const run = requests.run(w1, request, asStimulusId('s'), abort.signal);
  abort.abort();
  expect(await run).toMatchObject({ type: 'run-failure', error: { code: 'FUTURE_CANCELLED' } });
  const { requestId } = sent[0]!.message as { requestId: number };
  expect(() => requests.settle(requestId, { type: 'run-success', result: request.args })).not.toThrow();
  const refused = await requests.run(w1, request, asStimulusId('s'), abort.signal);
  expect(refused.type).toBe('run-failure');
  expect(sent).toHaveLength(1);
});
