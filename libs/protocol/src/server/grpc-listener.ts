/** A grpc-js server with the services every program has: health and, if wanted, reflection. */
import { Server, type ServiceDefinition } from '@grpc/grpc-js';
import { UnavailableError } from '@spillway/kernel';
import { CONTROL_SERVER_OPTIONS } from '../channel/control-options.js';
import { serverCredentials, type ServerSecurity } from '../channel/security.js';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { HealthService } from '../standard/health.js';
import { addReflection } from '../standard/reflection.js';
import type { ServedCall } from './calls.js';

/** How long calls under way may take to end when a server is closed. */
const CLOSE_GRACE_MS = 1000;

export interface ListenOptions {
  /** `host:port`; port 0 for any. */
  readonly address: string;
  readonly reflection: boolean;
  readonly security?: ServerSecurity;
}

export interface NamedService {
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

export function serviceOf(name: string, calls: Readonly<Record<string, ServedCall>>): NamedService {
  const entries = Object.entries(calls);
  return {
    name,
    definition: Object.fromEntries(entries.map(([method, { definition }]) => [method, definition])),
    implementation: Object.fromEntries(entries.map(([method, { handler }]) => [method, handler])),
  };
}

export class GrpcListener {
  readonly #server: Server;
  readonly #health: HealthService;

  private constructor(
    server: Server,
    health: HealthService,
    /** `host:port` it listens on. */
    readonly address: string,
  ) {
    this.#server = server;
    this.#health = health;
  }

  /** Rejects with `UnavailableError` when the address cannot be listened on. */
  static async listen(options: ListenOptions, services: readonly NamedService[]): Promise<GrpcListener> {
    const server = new Server(CONTROL_SERVER_OPTIONS);
    const names = services.map(({ name }) => name);
    for (const { definition, implementation } of services) server.addService(definition, implementation);
    const health = new HealthService(names);
    health.addTo(server);
    if (options.reflection) addReflection(server, names);
    return new GrpcListener(server, health, await bind(server, options));
  }

  /** What health says of the program and its services. */
  setServing(isServing: boolean): void {
    this.#health.setServing(isServing);
  }

  /** Takes nothing new, waits a moment for calls under way, then breaks them off. */
  async close(): Promise<void> {
    this.#health.setServing(false);
    this.#health.close();
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => this.#server.forceShutdown(), CLOSE_GRACE_MS);
      this.#server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }
}

async function bind(server: Server, { address, security }: ListenOptions): Promise<string> {
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, serverCredentials(security), (error, bound) => {
      if (error === null) {
        resolve(bound);
        return;
      }
      reject(
        new UnavailableError(`Cannot listen on ${address}: ${error.message}. Choose another address.`, {
          cause: error,
        }),
      );
    });
  });
  return address.slice(0, address.lastIndexOf(':') + 1) + String(port);
}
