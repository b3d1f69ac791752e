import { spillway } from '@spillway/proto';
import { remoteError } from '../from-wire/values.js';
import { nannyMessage } from '../from-wire/nanny.js';
import { asStimulusId, asWorkerId } from '@spillway/kernel';
import { nannyMessageToWire } from './nanny.js';
import { remoteErrorToWire } from './values.js';

const { RemoteError, NannyMessage } = spillway.v1;

test('an error with halves of surrogate pairs is written so that it can be read', () => {
  const half = 'half \ud83d';
  const error = { code: 'TASK_FAILED', message: half, stack: half, details: { [half]: half } };
  const bytes = RemoteError.encode(remoteErrorToWire({ ...error, cause: error })).finish();
  const readable = {
    code: 'TASK_FAILED',
    message: 'half \ufffd',
    stack: 'half \ufffd',
    details: { 'half \ufffd': 'half \ufffd' },
  };
  expect(remoteError(RemoteError.decode(bytes))).toEqual({ ...readable, cause: readable });
});

test('text that is cut is cut between characters', () => {
  const { message } = remoteErrorToWire({ code: 'X', message: `x${'🙂'.repeat(10_000)}`, details: {} });
  expect(message).toMatch(/^x(🙂)+$/u);
  expect(message).toHaveLength(9_999);
});

test('the last words of a worker that begin in the middle of a character are written so that they can be read', () => {
  const message = nannyMessageToWire({
    type: 'worker-exited',
    stimulusId: asStimulusId('s'),
    verdict: {
      workerId: asWorkerId('w'),
      workerName: 'w',
      cause: { kind: 'start-failed', message: '\ude42 no' },
      summary: '\ude42 gone',
      pid: 1,
      livedMs: 1,
      stderrTail: '\ude42 tail',
      samples: [],
      limitBytes: false,
      terminateBytes: false,
      nextStep: '',
    },
    restartInMs: false,
    leavesValues: false,
  });
  expect(nannyMessage(NannyMessage.decode(NannyMessage.encode(message).finish()))).toMatchObject({
    verdict: { cause: { message: '\ufffd no' }, summary: '\ufffd gone', stderrTail: '\ufffd tail' },
  });
});
