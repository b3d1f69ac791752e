import { asRunId, asStimulusId, asTaskKey } from '@spillway/kernel';
import { resolveOptions } from './options.js';
import { Outbox } from './outbox.js';
import { aWorkerHello, toWorker } from './testing/index.js';
import { WorkerView } from './worker-view.js';

const worker = new WorkerView(aWorkerHello('w'), 1, resolveOptions({}));
const [x, y] = [asTaskKey('x'), asTaskKey('y')];
const stimulusId = asStimulusId('s');

test('keys to free travel in one message, which goes out before anything else is said to that worker', () => {
  const outbox = new Outbox();
  outbox.begin(stimulusId);
  outbox.free(worker, x);
  outbox.free(worker, y);
  outbox.toWorker(worker, { type: 'cancel-task', stimulusId, key: x, runId: asRunId(1) });
  outbox.free(worker, x);

  expect(toWorker(outbox.take(), 'w')).toEqual([
    { type: 'free-keys', stimulusId, keys: [x, y] },
    { type: 'cancel-task', stimulusId, key: x, runId: 1 },
    { type: 'free-keys', stimulusId, keys: [x] },
  ]);
  expect(outbox.take()).toEqual([]);
});

test('what one event frees is told with its own stimulus, also when another begins in the same turn', () => {
  const outbox = new Outbox();
  outbox.begin(stimulusId);
  outbox.free(worker, x);
  outbox.begin(asStimulusId('next'));

  expect(toWorker(outbox.take(), 'w')).toEqual([{ type: 'free-keys', stimulusId, keys: [x] }]);
});

test('nothing more is said to a worker that is gone', () => {
  const outbox = new Outbox();
  outbox.free(worker, x);
  outbox.dropFreesOf(worker);

  expect(outbox.take()).toEqual([]);
});
