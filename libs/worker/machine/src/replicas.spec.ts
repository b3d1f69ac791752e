import {
  Rehearsal,
  aDependency,
  aWorker,
  acquireReplicas,
  cancelTask,
  computeTask,
  dataPut,
  freeKeys,
  gatherBusy,
  gatherNetworkFailure,
  gatherSuccess,
  peerLost,
  refreshWhoHas,
  statusChange,
} from './testing/index.js';

let worker: Rehearsal;
beforeEach(() => {
  worker = new Rehearsal(aWorker());
});

const needing = (
  ...dependencies: readonly ReturnType<typeof aDependency>[]
): ReturnType<typeof computeTask> => computeTask('x', { dependencies });

describe('gathering', () => {
  test('asks each peer for one thing at a time', () => {
    worker.tell(needing(aDependency('a', ['p'])));

    expect(worker.tell(acquireReplicas(aDependency('b', ['p'])))).toEqual([]);
    expect(worker.tell(gatherSuccess('p', { a: 10 }))).toContain('gather-dependencies b:10 from p at p:1');
  });

  test('asks no more peers at the same time than allowed', () => {
    worker = new Rehearsal(aWorker({ gatherPeersMax: 2 }));
    const dependencies = ['p', 'q', 'r'].map((peer) => aDependency(`on-${peer}`, [peer]));

    expect(worker.tell(needing(...dependencies))).toHaveLength(2);
  });

  test('brings what a more urgent task needs first, though it was wanted later', () => {
    worker = new Rehearsal(aWorker({ gatherMessageBytesMax: 10 }));
    worker.tell(computeTask('first', { dependencies: [aDependency('busy', ['p'])] }));
    worker.tell(computeTask('late', { priority: [0, 0, 9], dependencies: [aDependency('shared', ['p'])] }));
    worker.tell(computeTask('mid', { priority: [0, 0, 5], dependencies: [aDependency('other', ['p'])] }));
    worker.tell(computeTask('soon', { priority: [0, 0, 1], dependencies: [aDependency('shared', ['p'])] }));

    expect(worker.tell(gatherSuccess('p', { busy: 10 }))).toContain(
      'gather-dependencies shared:10 from p at p:1',
    );
  });

  test('a key that the peer mentions neither as arrived nor as missing is missing', () => {
    worker.tell(needing(aDependency('a', ['p'])));

    expect(worker.tell(gatherSuccess('p', {}))).toEqual([
      'send-to-scheduler replica-missing a holder=p',
      'send-to-scheduler request-who-has a',
    ]);
  });

  test('a value that nobody wants any more when it arrives is freed and not announced', () => {
    worker.tell(needing(aDependency('a', ['p'])), cancelTask('x'));

    expect(worker.tell(gatherSuccess('p', { a: 10 }))).toEqual(['free-values a']);
  });

  test('what a peer is late to say about a key that is wanted anew does not count', () => {
    worker.tell(needing(aDependency('a', ['p'])), cancelTask('x'));
    worker.tell(computeTask('y', { dependencies: [aDependency('a', ['p'])] }));

    // The key may have another content by now: it is asked for again instead of taking the old copy.
    expect(worker.tell(gatherSuccess('p', { a: 10 }))).toEqual([
      'free-values a',
      'gather-dependencies a:10 from p at p:1',
    ]);
  });

  test('the outcome of a gather that was never asked for frees what came', () => {
    expect(worker.tell(gatherSuccess('stranger', { a: 10 }))).toEqual(['free-values a']);
  });

  test('a busy peer is left alone though new keys are wanted from it', () => {
    worker.tell(needing(aDependency('a', ['p'])), gatherBusy('p'));

    expect(worker.tell(acquireReplicas(aDependency('b', ['p'])))).toEqual([]);
    expect(worker.machine.nextWakeMs).toBe(150);
    expect(worker.wait(150)).toEqual(['gather-dependencies a:10 b:10 from p at p:1']);
  });

  test('a peer that cannot be reached rests, longer each time, and keeps its copies', () => {
    worker.tell(needing(aDependency('a', ['p'])));

    expect(worker.tell(gatherNetworkFailure('p'))).toEqual([]);
    expect(worker.machine.nextWakeMs).toBe(300);
    expect(worker.wait(300)).toEqual(['gather-dependencies a:10 from p at p:1']);
    expect(worker.tell(gatherNetworkFailure('p'))).toEqual([]);
    expect(worker.machine.nextWakeMs).toBe(900);
  });

  test('while a peer rests other holders are asked', () => {
    worker.tell(needing(aDependency('a', ['p'])), refreshWhoHas(aDependency('a', ['p', 'q'])));

    expect(worker.tell(gatherNetworkFailure('p'))).toEqual(['gather-dependencies a:10 from q at q:1']);
  });

  test('a peer that stays unreachable is no holder of anything any more', () => {
    worker = new Rehearsal(aWorker({ gatherMessageBytesMax: 10, peerFailuresMax: 0 }));
    worker.tell(needing(aDependency('a', ['p']), aDependency('b', ['p'])));

    expect(worker.tell(gatherNetworkFailure('p'))).toEqual([
      'send-to-scheduler replica-missing a holder=p',
      'send-to-scheduler request-who-has a b',
    ]);
  });

  test('a paused worker lets flights end and starts none; running again, it goes on', () => {
    worker = new Rehearsal(aWorker({ gatherMessageBytesMax: 10 }));
    worker.tell(needing(aDependency('a', ['p']), aDependency('b', ['p'])), statusChange('paused'));

    expect(worker.tell(gatherSuccess('p', { a: 10 }))).toEqual(['send-to-scheduler replicas-added a:10']);
    expect(worker.tell(statusChange('running'))).toEqual([
      'send-to-scheduler worker-status-change running',
      'gather-dependencies b:10 from p at p:1',
    ]);
  });
});

describe('who has it', () => {
  test('a lost peer is a holder of nothing; the gather under way stays until its outcome', () => {
    worker.tell(needing(aDependency('a', ['p'])), acquireReplicas(aDependency('b', ['p'])));

    expect(worker.tell(peerLost('p'))).toEqual(['forget-peer p', 'send-to-scheduler request-who-has b']);
    expect(worker.state('a')).toBe('flight');
    expect(worker.tell(gatherNetworkFailure('p'))).toEqual(['send-to-scheduler request-who-has a']);
  });

  test('the newest list of holders replaces the older', () => {
    worker.tell(needing(aDependency('busy', ['p'])), acquireReplicas(aDependency('a', ['p'])));

    expect(worker.tell(refreshWhoHas(aDependency('a', ['q'], 33)))).toEqual([
      'gather-dependencies a:33 from q at q:1',
    ]);
  });

  test('holders that are heard of during a flight are tried when it fails', () => {
    worker.tell(needing(aDependency('a', ['p'])), refreshWhoHas(aDependency('a', ['q'])));

    expect(worker.tell(gatherBusy('p'))).toEqual(['gather-dependencies a:10 from q at q:1']);
  });

  test('news of keys that are not wanted is ignored', () => {
    worker.tell(dataPut('m'));

    expect(worker.tell(refreshWhoHas(aDependency('m', ['p']), aDependency('unknown', ['p'])))).toEqual([]);
  });

  test('an answer without a holder puts the question off by the whole wait', () => {
    worker.tell(needing(aDependency('a')));
    worker.wait(600);
    worker.tell(refreshWhoHas(aDependency('a')));

    expect(worker.wait(999)).toEqual([]);
    expect(worker.wait(1)).toEqual(['send-to-scheduler request-who-has a']);
  });

  test('the question is repeated as long as the key is needed, and no longer', () => {
    expect(worker.tell(needing(aDependency('a')))).toEqual(['send-to-scheduler request-who-has a']);
    expect(worker.wait(1000)).toEqual(['send-to-scheduler request-who-has a']);
    worker.tell(freeKeys('x'));

    expect(worker.wait(1000)).toEqual([]);
    expect(worker.machine.nextWakeMs).toBeUndefined();
  });
});

describe('replicas for their own sake', () => {
  test('stay when the task that needed them too is gone', () => {
    worker.tell(needing(aDependency('a', ['p'])), acquireReplicas(aDependency('a', ['p'])), cancelTask('x'));

    expect(worker.tell(gatherSuccess('p', { a: 10 }))).toEqual(['send-to-scheduler replicas-added a:10']);
  });

  test('that are here already are announced again', () => {
    worker.tell(dataPut('a', 7));

    expect(worker.tell(acquireReplicas(aDependency('a', ['p'])))).toEqual([
      'send-to-scheduler replicas-added a:7',
    ]);
  });
});
