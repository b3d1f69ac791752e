import { SeededRandom, asWorkerId } from '@spillway/kernel';
import { choosePeer, takeWanted, type PeerOffer, type WantedKey, type WantedQueue } from './gathering.js';

const offer = (id: string, order: number, wantedCount: number): PeerOffer => ({
  peerId: asWorkerId(id),
  priority: [0, 0, order],
  wantedCount,
});

describe('choosePeer', () => {
  const random = new SeededRandom(1);

  test('takes the peer with the most urgent key, however few keys it has', () => {
    expect(choosePeer([offer('p', 2, 9), offer('q', 1, 1)], random)?.peerId).toBe('q');
  });

  test('takes, of equally urgent peers, the one with most of the wanted keys', () => {
    expect(choosePeer([offer('p', 1, 2), offer('q', 1, 3), offer('r', 1, 1)], random)?.peerId).toBe('q');
  });

  test('lets chance decide between equal peers, the same way for the same seed', () => {
    const offers = [offer('p', 1, 1), offer('q', 1, 1), offer('r', 1, 1)];
    const draw = (seed: number): (string | undefined)[] => {
      const seeded = new SeededRandom(seed);
      return Array.from({ length: 50 }, () => choosePeer(offers, seeded)?.peerId);
    };

    expect(new Set(draw(1))).toEqual(new Set(['p', 'q', 'r']));
    expect(draw(7)).toEqual(draw(7));
  });

  test('takes nobody when nobody offers', () => {
    expect(choosePeer([], random)).toBeUndefined();
  });
});

describe('takeWanted', () => {
  class Keys implements WantedQueue<WantedKey> {
    readonly left: WantedKey[];
    constructor(...sizes: readonly number[]) {
      this.left = sizes.map((nbytes) => ({ state: { nbytes } }));
    }
    peek(): WantedKey | undefined {
      return this.left[0];
    }
    pop(): void {
      this.left.shift();
    }
  }
  const limits = { transferBytesMax: 100, gatherMessageBytesMax: 50 };
  const sizes = (taken: readonly WantedKey[]): number[] => taken.map(({ state }) => state.nbytes);

  test('fills a message up to its limit, exactly', () => {
    const keys = new Keys(20, 30, 1);

    expect(sizes(takeWanted(keys, limits, 0))).toEqual([20, 30]);
    expect(keys.left).toHaveLength(1);
  });

  test('takes a first key that is larger than a message', () => {
    expect(sizes(takeWanted(new Keys(80, 10), limits, 10))).toEqual([80]);
  });

  test('takes a first key that is larger than all transfers together only when nothing is in flight', () => {
    expect(sizes(takeWanted(new Keys(500), limits, 0))).toEqual([500]);
    expect(sizes(takeWanted(new Keys(500), limits, 1))).toEqual([]);
  });

  test('keeps within what other flights leave', () => {
    expect(sizes(takeWanted(new Keys(10, 10, 10), limits, 80))).toEqual([10, 10]);
  });

  test('does not let a small key pass a large one that has to wait', () => {
    expect(sizes(takeWanted(new Keys(60, 1), limits, 50))).toEqual([]);
  });

  test('knows no limit of transfers when it is off', () => {
    const off = { ...limits, transferBytesMax: false } as const;

    expect(sizes(takeWanted(new Keys(40), off, 1_000_000))).toEqual([40]);
  });
});
