import { InvariantError, asTaskKey, asWorkerId } from '@spillway/kernel';
import type { Priority } from '@spillway/messages';
import { Peers } from './peers.js';
import { RELEASED, type FetchState, type WorkerTask } from './task.js';

const p = asWorkerId('p');

function withPeer(): Peers {
  const peers = new Peers();
  peers.note({ workerId: p, address: 'p:1' });
  return peers;
}

function want(
  peers: Peers,
  key: string,
  priority: Priority = [0, 0, 0],
): { task: WorkerTask; state: FetchState } {
  const state: FetchState = { name: 'fetch', nbytes: 10, holders: new Set([p]), priority, asReplica: false };
  const task: WorkerTask = { key: asTaskKey(key), state, neededBy: undefined, lingering: undefined };
  peers.want(task, state, p);
  return { task, state };
}

function drain(peers: Peers): string[] {
  const keys: string[] = [];
  const peer = peers.get(p)!;
  for (let next = peer.peek(); next !== undefined; next = peer.peek()) {
    keys.push(next.task.key);
    peer.pop();
  }
  return keys;
}

test('a peer is asked for the most urgent keys first, each once', () => {
  const peers = withPeer();
  const late = want(peers, 'late', [0, 0, 9]);
  want(peers, 'early', [0, 0, 1]);
  want(peers, 'next', [0, 0, 2]);

  late.state.priority = [0, 0, 0];
  peers.want(late.task, late.state, p);

  expect([...peers.offers()]).toEqual([{ peerId: p, priority: [0, 0, 0], wantedCount: 3 }]);
  expect(drain(peers)).toEqual(['late', 'early', 'next']);
});

test('a key that is not wanted any more is not asked for', () => {
  const peers = withPeer();
  const { task, state } = want(peers, 'a');
  want(peers, 'b');
  peers.unwant(task, state);
  task.state = RELEASED;

  expect(drain(peers)).toEqual(['b']);
});

test('a resting peer offers nothing until its time has come', () => {
  const peers = withPeer();
  want(peers, 'a');
  peers.rest(p, 150);

  expect([...peers.offers()]).toEqual([]);
  expect(peers.nextRestEndMs).toBe(150);
  peers.endRests(149);
  expect([...peers.offers()]).toEqual([]);
  peers.endRests(150);
  expect([...peers.offers()]).toHaveLength(1);
  expect(peers.nextRestEndMs).toBeUndefined();
});

test('nobody has to wake up for a rest that keeps nothing waiting', () => {
  const peers = withPeer();
  peers.rest(p, 150);

  expect(peers.nextRestEndMs).toBeUndefined();
});

test('a peer with a flight offers nothing, and cannot have a second', () => {
  const peers = withPeer();
  want(peers, 'a');
  peers.startFlight({ peerId: p, bytes: 7, tasks: [] });

  expect([...peers.offers()]).toEqual([]);
  expect(peers.inFlightBytes).toBe(7);
  expect(() => peers.startFlight({ peerId: p, bytes: 7, tasks: [] })).toThrow(InvariantError);
});

test('the flight of a peer outlives the peer', () => {
  const peers = withPeer();
  peers.startFlight({ peerId: p, bytes: 7, tasks: [] });
  peers.remove(p);

  expect(peers.flightCount).toBe(1);
  expect(peers.endFlight(p)).toMatchObject({ bytes: 7 });
  expect(peers.inFlightBytes).toBe(0);
  expect(peers.endFlight(p)).toBeUndefined();
});

test('keys that come and go do not pile up in a peer', () => {
  const peers = withPeer();
  const kept = want(peers, 'kept');
  for (let index = 0; index < 1000; index++) {
    const { task, state } = want(peers, `task-${index}`);
    peers.unwant(task, state);
    task.state = RELEASED;
  }

  expect(peers.get(p)!.entryCount).toBeLessThan(200);
  expect(drain(peers)).toEqual([kept.task.key]);
});
