/** Two ends of a session over a network that a test can break at any point. No time but the test's own. */
import type { SpillwayError } from '@spillway/kernel';
import type { SessionEvent, SessionFrame, SessionInstruction, SessionOptions } from './events.js';
import { SessionMachine } from './session-machine.js';

export const options = (overrides: Partial<SessionOptions> = {}): SessionOptions => ({
  role: 'opener',
  nonce: 'nonce',
  epoch: '',
  heartbeatMs: 1000,
  connectTimeoutMs: 10_000,
  resumeGraceMs: 30_000,
  unackedBatchesMax: 10_000,
  unackedBytesMax: 1_000_000,
  random: () => 0.5,
  ...overrides,
});

type Machine = SessionMachine<number, number | undefined>;
type Event = SessionEvent<number, number | undefined>;
type Frame = SessionFrame<number>;

/** One side: its machine, what it delivered, and what it was told. */
export class Side {
  readonly machine: Machine;
  readonly delivered: number[] = [];
  readonly told: string[] = [];
  ended: { readonly error: SpillwayError | undefined } | undefined;

  constructor(
    readonly network: Network,
    readonly name: 'opener' | 'acceptor',
    overrides: Partial<SessionOptions> = {},
  ) {
    this.machine = new SessionMachine(
      options({ role: name, epoch: name === 'acceptor' ? 'epoch-1' : '', ...overrides }),
    );
  }

  handle(event: Event): void {
    for (const instruction of this.machine.handle(event, this.network.nowMs)) this.#perform(instruction);
    this.network.pump(this);
  }

  #perform(instruction: SessionInstruction<number | undefined>): void {
    switch (instruction.type) {
      case 'connect': {
        this.network.connect(instruction.connection);
        return;
      }
      case 'drop-connection': {
        this.network.drop(this, instruction.connection);
        return;
      }
      case 'deliver':
        if (instruction.batch !== undefined) this.delivered.push(instruction.batch);
        return;
      case 'ended':
        if (this.ended !== undefined) throw new Error('ended twice');
        this.ended = { error: instruction.error };
        return;
      case 'established':
        this.told.push(instruction.resumed ? 'resumed' : 'established');
        return;
      case 'disconnected':
        this.told.push('disconnected');
    }
  }
}

/** A connection: frames under way in both directions. `isDead`: nothing gets through, and nobody is told. */
interface Wire {
  readonly number: number;
  /** The acceptor counts the connections that reached it. */
  accepted: number | undefined;
  readonly up: Frame[];
  readonly down: Frame[];
  isDead: boolean;
  openerGone: boolean;
  acceptorGone: boolean;
}

export class Network {
  nowMs = 0;
  readonly wires: Wire[] = [];
  opener!: Side;
  acceptor!: Side;
  #acceptedCount = 0;

  connect(number: number): void {
    this.wires.push({
      number,
      accepted: undefined,
      up: [],
      down: [],
      isDead: false,
      openerGone: false,
      acceptorGone: false,
    });
  }

  /** A side hangs up: what it wrote before still arrives, then the other side hears. */
  drop(side: Side, number: number): void {
    const wire = this.wires.find((w) => (side.name === 'opener' ? w.number : w.accepted) === number);
    if (wire === undefined) return;
    if (side.name === 'opener') wire.openerGone = true;
    else wire.acceptorGone = true;
  }

  /** Writes all a side has to say on its present connection. */
  pump(side: Side): void {
    for (let frame = side.machine.takeFrame(this.nowMs); frame !== undefined;) {
      const wire =
        side.name === 'opener'
          ? this.wires.at(-1)
          : this.wires
              .filter((w) => w.accepted !== undefined)
              .sort((a, b) => (a.accepted ?? 0) - (b.accepted ?? 0))
              .at(-1);
      (side.name === 'opener' ? wire?.up : wire?.down)?.push(frame);
      frame = side.machine.takeFrame(this.nowMs);
    }
  }

  /** The transport of the opener's newest connection is there. */
  open(): void {
    const wire = this.wires.at(-1);
    if (wire !== undefined && !wire.openerGone) {
      this.opener.handle({ type: 'connection-opened', connection: wire.number });
    }
  }

  /** One frame arrives. */
  arrive(direction: 'up' | 'down', wireIndex: number): boolean {
    const wire = this.wires[wireIndex];
    if (wire === undefined || wire.isDead) return false;
    const frame = (direction === 'up' ? wire.up : wire.down).shift();
    if (frame === undefined) return this.#hangUp(wire, direction);
    if (direction === 'up') this.#atAcceptor(wire, frame);
    else if (!wire.openerGone) this.#atOpener(wire, frame);
    return true;
  }

  /** Frames under way are lost, both sides hear of it. */
  cut(wireIndex: number): void {
    const wire = this.wires[wireIndex];
    if (wire === undefined) return;
    wire.up.length = 0;
    wire.down.length = 0;
    wire.openerGone = true;
    wire.acceptorGone = true;
    const reason = 'cut';
    this.opener.handle({ type: 'connection-lost', connection: wire.number, reason });
    if (wire.accepted !== undefined) {
      this.acceptor.handle({ type: 'connection-lost', connection: wire.accepted, reason });
    }
  }

  /** Time goes on to the next moment a side waits for. */
  advance(): void {
    const wakes = [this.opener, this.acceptor].map(({ machine }) => machine.nextWakeMs ?? Infinity);
    const next = Math.min(...wakes);
    if (!Number.isFinite(next)) return;
    this.nowMs = Math.max(this.nowMs, next);
    this.opener.handle({ type: 'tick' });
    this.acceptor.handle({ type: 'tick' });
  }

  /** Delivers everything and lets time pass until both have all, or for so many steps. */
  heal(isDone: () => boolean, stepsMax = 20_000): void {
    for (let step = 0; step < stepsMax && !isDone(); step++) {
      this.open();
      let moved = false;
      for (let index = 0; index < this.wires.length; index++) {
        moved = this.arrive('up', index) || moved;
        moved = this.arrive('down', index) || moved;
      }
      if (!moved) this.advance();
    }
  }

  #hangUp(wire: Wire, direction: 'up' | 'down'): boolean {
    if (direction === 'up' && wire.openerGone && !wire.acceptorGone) {
      wire.acceptorGone = true;
      if (wire.accepted === undefined) return false;
      this.acceptor.handle({ type: 'connection-lost', connection: wire.accepted, reason: 'hung up' });
      return true;
    }
    if (direction === 'down' && wire.acceptorGone && !wire.openerGone) {
      wire.openerGone = true;
      this.opener.handle({ type: 'connection-lost', connection: wire.number, reason: 'hung up' });
      return true;
    }
    return false;
  }

  #atAcceptor(wire: Wire, frame: Frame): void {
    if (frame.type === 'opening') {
      wire.accepted = ++this.#acceptedCount;
      this.acceptor.handle({
        type: 'connection-accepted',
        connection: wire.accepted,
        received: frame.received,
      });
    } else if (wire.accepted !== undefined) {
      this.acceptor.handle(received(wire.accepted, frame));
    }
  }

  #atOpener(wire: Wire, frame: Frame): void {
    if (frame.type === 'welcome') {
      this.opener.handle({ type: 'welcome-received', connection: wire.number, welcome: frame.welcome });
    } else {
      this.opener.handle(received(wire.number, frame));
    }
  }
}

function received(connection: number, frame: Frame): Event {
  switch (frame.type) {
    case 'batch':
      return { type: 'batch-received', connection, seq: frame.seq, ack: frame.ack, batch: frame.batch };
    case 'end':
      return {
        type: 'batch-received',
        connection,
        seq: frame.seq,
        ack: frame.ack,
        batch: undefined,
        end: frame.reason,
      };
    case 'ack':
      return { type: 'batch-received', connection, seq: 0, ack: frame.ack, batch: undefined };
    case 'opening':
    case 'welcome':
      throw new Error(`unexpected ${frame.type}`);
  }
}

export function aSession(overrides: Partial<SessionOptions> = {}): Network {
  const network = new Network();
  network.opener = new Side(network, 'opener', overrides);
  network.acceptor = new Side(network, 'acceptor', overrides);
  network.opener.handle({ type: 'start' });
  return network;
}

/** A session that is established. */
export function anOpenSession(overrides: Partial<SessionOptions> = {}): Network {
  const network = aSession(overrides);
  network.heal(() => network.opener.told.length > 0);
  return network;
}

export const send = (side: Side, batch: number, bytes = 1): void =>
  side.handle({ type: 'send', batch, bytes });
