/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
import { InvalidArgumentError } from '@spillway/kernel';
import {
  ARGUMENTS_BYTES_MAX,
  DEPENDENCIES_MAX,
  DEPENDENCY_KEYS_BYTES_MAX,
  KEY_LENGTH_MAX,
} from '@spillway/messages';
import { spillway } from '@spillway/proto';
import { clientUp, workerDown, workerUp } from '../link/envelopes.js';
import { taskSpec } from './values.js';

const wire = spillway.v1;
const UNKNOWN_ENCODING: spillway.v1.Encoding = 77 as unknown as spillway.v1.Encoding;

const aTask = (changes: Partial<spillway.v1.TaskSpec> = {}): spillway.v1.TaskSpec => ({
  key: 'sum-1',
  function: { preinstalled: { module: 'math', exportName: 'sum' } },
  args: { encoding: wire.Encoding.ENCODING_JSON, data: Buffer.from('[1,2]') },
  dependencies: [],
  priority: 0,
  retries: 0,
  workers: [],
  allowOtherWorkers: false,
  resultEncoding: wire.Encoding.ENCODING_UNSPECIFIED,
  ...changes,
});

const graphOf = (tasks: spillway.v1.TaskSpec[]): Uint8Array =>
  wire.OpenClientRequest.encode({
    seq: 1,
    ack: 0,
    messages: [{ clientClosing: {} }, { graphPart: { submissionId: 's', partIndex: 0, tasks, wants: [] } }],
  }).finish();

const finished = (changes: Partial<spillway.v1.TaskFinished>): Uint8Array =>
  wire.OpenWorkerRequest.encode({
    seq: 1,
    ack: 0,
    messages: [
      {
        stimulusId: 'x',
        taskFinished: { key: 'k', runId: 1, nbytes: 1, duration: { seconds: 0, nanos: 1 }, ...changes },
      },
    ],
  }).finish();

function refusal(decode: () => unknown): Record<string, string> {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    return (error as InvalidArgumentError).details;
  }
  throw new Error('was not refused');
}

describe('what arrives is checked, and the refusal names the field', () => {
  test.each<[string, Partial<spillway.v1.TaskSpec>]>([
    ['key', { key: '' }],
    ['key', { key: 'k'.repeat(KEY_LENGTH_MAX + 1) }],
    ['function', { function: null }],
    ['function.ref', { function: {} }],
    ['function.bundle.module_hash', { function: { bundle: { moduleHash: 'abc', exportName: 'f' } } }],
    ['function.preinstalled.export_name', { function: { preinstalled: { module: 'm', exportName: '' } } }],
    ['args', { args: null }],
    ['args.encoding', { args: { encoding: wire.Encoding.ENCODING_UNSPECIFIED, data: Buffer.alloc(0) } }],
    ['args.encoding', { args: { encoding: UNKNOWN_ENCODING, data: Buffer.alloc(0) } }],
    [
      'args.data',
      { args: { encoding: wire.Encoding.ENCODING_BYTES, data: Buffer.alloc(ARGUMENTS_BYTES_MAX + 1) } },
    ],
    ['dependencies', { dependencies: ['a', 'b', 'a'] }],
    ['dependencies', { dependencies: Array.from({ length: 20 }, (_, i) => `k${i % 19}`) }],
    ['dependencies[1]', { dependencies: ['a', ''] }],
    ['priority', { priority: Number.NaN }],
    ['priority', { priority: Number.POSITIVE_INFINITY }],
    ['retries', { retries: 4_000_000_000 }],
    ['workers[0]', { workers: [''] }],
    ['timeout', { timeout: { seconds: -1, nanos: 0 } }],
    ['timeout', { timeout: { seconds: 1, nanos: 1_000_000_000 } }],
    ['result_encoding', { resultEncoding: UNKNOWN_ENCODING }],
  ])('a task with a bad %s', (field, changes) => {
    const { field: named } = refusal(() => clientUp.decode(graphOf([aTask(), aTask(changes)])));

    expect(named).toBe(`messages[1].graph_part.tasks[1].${field}`);
  });

  test('too many dependencies are refused without looking at them', () => {
    const dependencies = Array.from({ length: DEPENDENCIES_MAX + 1 }, () => 'same');

    expect(refusal(() => taskSpec(aTask({ dependencies })))).toMatchObject({
      field: 'dependencies',
      problem: `more than ${DEPENDENCIES_MAX}`,
    });
  });

  test('dependencies with keys that are too long together are refused, and as long as may be are not', () => {
    const keysOf = (count: number): string[] =>
      Array.from({ length: count }, (_, index) => `${index}`.padStart(KEY_LENGTH_MAX, 'ä'));
    const fitting = keysOf(Math.floor(DEPENDENCY_KEYS_BYTES_MAX / (2 * KEY_LENGTH_MAX)));
    expect(taskSpec(aTask({ dependencies: fitting })).dependencies).toHaveLength(fitting.length);

    const dependencies = keysOf(fitting.length + 20);
    expect(refusal(() => taskSpec(aTask({ dependencies })))).toMatchObject({
      field: 'dependencies',
      problem: `keys of more than ${DEPENDENCY_KEYS_BYTES_MAX} bytes together`,
    });
  });

  test('a message without a body, or with one of a newer version, is refused', () => {
    const bytes = wire.OpenClientRequest.encode({ seq: 1, ack: 0, messages: [{}] }).finish();

    expect(refusal(() => clientUp.decode(bytes))['field']).toBe('messages[0].body');
  });

  test('messages without a number are refused', () => {
    const bytes = wire.OpenClientRequest.encode({
      seq: 0,
      ack: 0,
      messages: [{ clientClosing: {} }],
    }).finish();

    expect(refusal(() => clientUp.decode(bytes))['field']).toBe('seq');
  });

  test('whole numbers beyond 2^53 - 1 are refused, not rounded', () => {
    expect(workerUp.decode(finished({ nbytes: 2 ** 53 - 1 })).messages).toHaveLength(1);
    expect(refusal(() => workerUp.decode(finished({ nbytes: 2 ** 53 })))['field']).toBe(
      'messages[0].task_finished.nbytes',
    );
    expect(refusal(() => workerUp.decode(finished({ runId: 2 ** 63 })))['field']).toBe(
      'messages[0].task_finished.run_id',
    );
  });

  test('an inline result far over its limit is refused', () => {
    const inline = { encoding: wire.Encoding.ENCODING_BYTES, data: Buffer.alloc(100_000) };

    expect(refusal(() => workerUp.decode(finished({ inline })))['field']).toBe(
      'messages[0].task_finished.inline.data',
    );
  });

  test('a holder that its batch does not list is refused', () => {
    const bytes = wire.OpenWorkerResponse.encode({
      seq: 1,
      ack: 0,
      holders: [{ workerId: 'w', address: 'h:1' }],
      messages: [
        {
          stimulusId: 'x',
          refreshWhoHas: { dependencies: [{ key: 'k', nbytes: 0, holderIndexes: [0, 1] }] },
        },
      ],
    }).finish();

    expect(refusal(() => workerDown.decode(bytes))['problem']).toBe('there is no holder 1 in this batch');
  });

  test.each(['worker', ':4000', 'worker:0', 'worker:70000', 'worker:x'])('%p is no address', (address) => {
    const hello = {
      workerId: 'w',
      name: 'n',
      address,
      nthreads: 1,
      memoryLimitEnforced: true,
      pid: 1,
      protocol: { major: 1, minor: 0 },
      softwareVersion: '',
      holdings: [],
      continuedRuns: [],
    };
    const opening = { nonce: 'n', epoch: '', received: 0 };
    const bytes = wire.OpenWorkerRequest.encode({ seq: 0, ack: 0, messages: [], opening, hello }).finish();

    expect(refusal(() => workerUp.decode(bytes))['field']).toBe('hello.address');
  });
});

describe('a task that arrives', () => {
  test('takes the encoding of its arguments where none is named, and is recomputed unless it says no', () => {
    expect(taskSpec(aTask())).toMatchObject({ resultEncoding: 'json', recompute: true, timeoutMs: false });
    expect(taskSpec(aTask({ recompute: false }))).toMatchObject({ recompute: false });
  });

  test('keeps no view of the batch for small arguments, and no copy of large ones', () => {
    const batch = Buffer.alloc(100_000);
    const argsOf = (length: number): Uint8Array =>
      taskSpec(aTask({ args: { encoding: wire.Encoding.ENCODING_BYTES, data: batch.subarray(0, length) } }))
        .args.data;

    expect(argsOf(1024).buffer).not.toBe(batch.buffer);
    expect(argsOf(1025).buffer).toBe(batch.buffer);
  });

  test('shares the description of its function with other tasks', () => {
    expect(taskSpec(aTask()).function).toBe(taskSpec(aTask({ key: 'sum-2' })).function);
  });
});
