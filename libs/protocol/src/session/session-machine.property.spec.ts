import fc from 'fast-check';
import { aSession, send, type Network } from './testing.spec-d.js';

/** Anything that can happen to two ends and the network between them. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ type: 'opener-sends' } as const) },
  { weight: 4, arbitrary: fc.constant({ type: 'acceptor-sends' } as const) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('up' as const), wire: fc.nat(3) }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('down' as const), wire: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.constant({ type: 'open' } as const) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cut' as const), wire: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.constant({ type: 'kill-silently' } as const) },
  { weight: 2, arbitrary: fc.constant({ type: 'advance' } as const) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Sent {
  up: number;
  down: number;
}

function perform(network: Network, sent: Sent, what: Step): void {
  // Counted from the newest connection, so that old ones get a say too: their late frames must not matter.
  const wireOf = (back: number): number => network.wires.length - 1 - back;
  switch (what.type) {
    case 'opener-sends': {
      send(network.opener, sent.up++);
      return;
    }
    case 'acceptor-sends':
      // The scheduler has nobody to send to before the first opening.
      if (network.acceptor.told.length > 0) send(network.acceptor, sent.down++);
      return;
    case 'up':
    case 'down':
      network.arrive(what.type, wireOf(what.wire));
      return;
    case 'open': {
      network.open();
      return;
    }
    case 'cut': {
      network.cut(wireOf(what.wire));
      return;
    }
    case 'kill-silently': {
      const newest = network.wires.at(-1);
      if (newest !== undefined) newest.isDead = true;
      return;
    }
    case 'advance': {
      network.advance();
      return;
    }
  }
}

const counted = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Nothing twice, nothing out of order, nothing skipped: what was delivered is a prefix of what was sent. */
function checkPrefixes(network: Network, sent: Sent): void {
  const { opener, acceptor } = network;
  if (!acceptor.delivered.every((batch, index) => batch === index))
    throw new Error(`up: ${acceptor.delivered.join()}`);
  if (!opener.delivered.every((batch, index) => batch === index))
    throw new Error(`down: ${opener.delivered.join()}`);
  if (acceptor.delivered.length > sent.up || opener.delivered.length > sent.down)
    throw new Error('out of nothing');
}

describe('a session over any network', () => {
  test('delivers each batch once and in order, and all of them once the network heals', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        // Graces so long that no run of steps outlasts them.
        const network = aSession({ connectTimeoutMs: 1e9, resumeGraceMs: 1e9 });
        const sent: Sent = { up: 0, down: 0 };
        for (const what of steps) {
          perform(network, sent, what);
          checkPrefixes(network, sent);
        }
        network.heal(
          () =>
            network.acceptor.delivered.length === sent.up && network.opener.delivered.length === sent.down,
        );

        expect(network.opener.ended).toBeUndefined();
        expect(network.acceptor.ended).toBeUndefined();
        expect(network.acceptor.delivered).toEqual(counted(sent.up));
        expect(network.opener.delivered).toEqual(counted(sent.down));
      }),
      { numRuns: 1500 },
    );
  });

  test('forgets what was acknowledged: nothing is kept once both are quiet', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const network = aSession({ connectTimeoutMs: 1e9, resumeGraceMs: 1e9 });
        const sent: Sent = { up: 0, down: 0 };
        for (const what of steps) perform(network, sent, what);
        const isQuiet = (): boolean =>
          network.opener.told.length > 0 &&
          network.opener.machine.unacked.count === 0 &&
          network.acceptor.machine.unacked.count === 0;
        network.heal(isQuiet);

        expect(network.opener.machine.unacked).toMatchObject({ count: 0, bytes: 0 });
        expect(network.acceptor.machine.unacked).toMatchObject({ count: 0, bytes: 0 });
      }),
      { numRuns: 300 },
    );
  });
});
