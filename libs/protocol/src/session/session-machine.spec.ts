import {
  ClusterUnreachableError,
  InvalidArgumentError,
  LimitExceededError,
  SessionExpiredError,
} from '@spillway/kernel';
import { SessionMachine } from './session-machine.js';
import { anOpenSession, aSession, options, send } from './testing.spec-d.js';

describe('a session', () => {
  test('says nothing but the opening before it is welcomed', () => {
    const network = aSession();
    send(network.opener, 1);
    network.open();

    expect(network.wires[0]?.up).toEqual([{ type: 'opening', nonce: 'nonce', epoch: '', received: 0 }]);
  });

  test('is welcomed with the epoch of the acceptor, and tells that epoch when it resumes', () => {
    const network = anOpenSession();

    network.cut(0);
    network.advance();
    network.open();

    expect(network.wires[1]?.up).toEqual([
      { type: 'opening', nonce: 'nonce', epoch: 'epoch-1', received: 0 },
    ]);
  });

  test('whose welcome was lost goes on as the same session', () => {
    const network = aSession();
    network.open();
    network.arrive('up', 0);
    send(network.acceptor, 0);
    network.cut(0);

    network.heal(() => network.opener.delivered.length === 1);

    expect(network.opener.delivered).toEqual([0]);
    expect(network.opener.told).toEqual(['established']);
  });

  test('writes again what was not acknowledged, and only that', () => {
    const network = anOpenSession();
    send(network.opener, 0);
    network.arrive('up', 0);
    send(network.opener, 1);
    network.cut(0);
    network.heal(() => network.opener.told.includes('resumed'));

    expect(network.wires[1]?.up).toEqual([{ type: 'batch', seq: 2, ack: 0, batch: 1 }]);
  });

  test('acknowledges by itself after 100 ms when it has nothing to say', () => {
    const network = anOpenSession();
    send(network.opener, 0);
    network.arrive('up', 0);

    expect(network.wires[0]?.down).toEqual([]);
    network.advance();

    expect(network.nowMs).toBe(100);
    expect(network.wires[0]?.down).toEqual([{ type: 'ack', ack: 1 }]);
  });

  test('acknowledges at once when 256 batches are not', () => {
    const network = anOpenSession();
    for (let batch = 0; batch < 256; batch++) {
      send(network.opener, batch);
      network.arrive('up', 0);
    }

    expect(network.wires[0]?.down).toEqual([{ type: 'ack', ack: 256 }]);
  });

  test('drops a connection that was silent for three heartbeats', () => {
    const network = anOpenSession();
    const wire = network.wires[0];
    if (wire !== undefined) wire.isDead = true;

    while (network.opener.told.length === 1) network.advance();

    expect(network.opener.told).toEqual(['established', 'disconnected']);
    expect(network.nowMs).toBe(3000);
  });

  test('whose own loop was asleep listens for another heartbeat before it takes silence for loss', () => {
    const network = anOpenSession();
    network.nowMs = 60_000;
    network.opener.handle({ type: 'tick' });

    expect(network.opener.told).toEqual(['established']);
    expect(network.opener.machine.nextWakeMs).toBe(61_000);

    network.nowMs = 61_000;
    network.opener.handle({ type: 'tick' });

    expect(network.opener.told).toEqual(['established', 'disconnected']);
  });

  test('ends with LIMIT_EXCEEDED when more waits for the other side than may', () => {
    const byCount = anOpenSession({ unackedBatchesMax: 2 });
    const byBytes = anOpenSession({ unackedBytesMax: 100 });

    for (let batch = 0; batch < 3; batch++) send(byCount.opener, batch);
    send(byBytes.opener, 0, 101);

    expect(byCount.opener.ended?.error).toBeInstanceOf(LimitExceededError);
    expect(byBytes.opener.ended?.error).toBeInstanceOf(LimitExceededError);
  });

  test('that never gets an answer ends as unreachable after the connect timeout', () => {
    const network = aSession({ connectTimeoutMs: 12_000 });

    while (network.opener.ended === undefined) network.advance();

    expect(network.nowMs).toBe(12_000);
    expect(network.opener.ended.error).toBeInstanceOf(ClusterUnreachableError);
    expect(network.wires.length).toBeGreaterThan(1);
  });

  test('that is not resumed ends after its grace: unreachable for the opener, expired for the acceptor', () => {
    const network = anOpenSession({ resumeGraceMs: 7000 });
    network.cut(0);
    while (network.opener.ended === undefined || network.acceptor.ended === undefined) network.advance();

    expect(network.nowMs).toBe(7000);
    expect(network.opener.ended.error).toBeInstanceOf(ClusterUnreachableError);
    expect(network.acceptor.ended.error).toBeInstanceOf(SessionExpiredError);
  });

  test('ends as expired when the acceptor has another epoch, or does not know it', () => {
    const session = (): SessionMachine<number, number> => {
      const machine = new SessionMachine<number, number>(options());
      machine.handle({ type: 'start' }, 0);
      machine.handle({ type: 'connection-opened', connection: 1 }, 0);
      const welcome = { epoch: 'a', resumed: false, received: 0, heartbeatMs: 1000 };
      machine.handle({ type: 'welcome-received', connection: 1, welcome }, 0);
      machine.handle({ type: 'connection-lost', connection: 1, reason: 'cut' }, 0);
      machine.handle({ type: 'tick' }, 1000);
      return machine;
    };
    for (const answer of [
      { epoch: 'b', resumed: true },
      { epoch: 'a', resumed: false },
    ]) {
      const welcome = { ...answer, received: 0, heartbeatMs: 1000 };
      const instructions = session().handle({ type: 'welcome-received', connection: 2, welcome }, 1000);

      expect(instructions.at(-1)).toMatchObject({ type: 'ended', error: { code: 'SESSION_EXPIRED' } });
    }
  });

  test('takes a gap, and an acknowledgement of what was never sent, for misbehaviour', () => {
    const gap = anOpenSession().acceptor;
    gap.handle({ type: 'batch-received', connection: 1, seq: 2, ack: 0, batch: 0 });
    const ack = anOpenSession().acceptor;
    ack.handle({ type: 'batch-received', connection: 1, seq: 0, ack: 1, batch: undefined });

    expect(gap.ended?.error).toBeInstanceOf(InvalidArgumentError);
    expect(ack.ended?.error).toBeInstanceOf(InvalidArgumentError);
  });

  test('refuses to resume at a point that it has already let go of', () => {
    const { acceptor, ...network } = anOpenSession();
    send(acceptor, 0);
    acceptor.handle({ type: 'batch-received', connection: 1, seq: 0, ack: 1, batch: undefined });
    acceptor.handle({ type: 'connection-accepted', connection: 2, received: 0 });

    expect(acceptor.ended?.error).toBeInstanceOf(InvalidArgumentError);
    expect(network.wires).toHaveLength(1);
  });

  test('ignores what comes late on a connection that another one has replaced', () => {
    const network = anOpenSession();
    network.acceptor.handle({ type: 'connection-accepted', connection: 2, received: 0 });
    network.acceptor.handle({ type: 'batch-received', connection: 1, seq: 1, ack: 0, batch: 7 });
    network.acceptor.handle({ type: 'connection-lost', connection: 1, reason: 'late' });

    expect(network.acceptor.delivered).toEqual([]);
    expect(network.acceptor.told).toEqual(['established', 'resumed']);
    expect(network.acceptor.machine.isConnected).toBe(true);
  });

  test('that is closed delivers what was sent before, then ends on both sides without an error', () => {
    const network = anOpenSession();
    send(network.opener, 0);
    network.opener.handle({ type: 'close', reason: 'done' });
    send(network.opener, 1);
    network.heal(() => network.opener.ended !== undefined && network.acceptor.ended !== undefined);

    expect(network.acceptor.delivered).toEqual([0]);
    expect(network.acceptor.ended).toEqual({ error: undefined });
    expect(network.opener.ended).toEqual({ error: undefined });
    expect(network.nowMs).toBe(0);
  });

  test('that is closed does not wait for ever for the other side to hang up', () => {
    const network = anOpenSession();
    const wire = network.wires[0];
    if (wire !== undefined) wire.isDead = true;
    network.opener.handle({ type: 'close', reason: 'done' });
    while (network.opener.ended === undefined) network.advance();

    expect(network.opener.ended).toEqual({ error: undefined });
    expect(network.nowMs).toBe(2000);
  });

  test('that is closed while it is disconnected ends at once', () => {
    const network = anOpenSession();
    network.cut(0);
    network.opener.handle({ type: 'close', reason: 'done' });

    expect(network.opener.ended).toEqual({ error: undefined });
  });
});
