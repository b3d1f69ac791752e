/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/**
 * grpc.health.v1.Health. Written here because the published package reads a .proto file beside itself when it is
 * loaded, which a bundled program does not have, and brings a second protobuf runtime.
 */
import type { sendUnaryData, Server, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { status as statusCode } from '@grpc/grpc-js';
import { grpc } from '@spillway/proto';
import { method } from '../service.js';

const { Health, HealthCheckRequest, HealthCheckResponse } = grpc.health.v1;
const { ServingStatus } = HealthCheckResponse;
type Request = grpc.health.v1.HealthCheckRequest;
type Response = grpc.health.v1.HealthCheckResponse;
type Watcher = ServerWritableStream<Request, Response>;

/** Most watchers of one program; over it Watch answers RESOURCE_EXHAUSTED. */
const WATCHERS_MAX = 1000;

/** The state of a program (`''`) and of each of its services, for probes and load balancers. */
export class HealthService {
  readonly #serving = new Map<string, boolean>();
  readonly #watchers = new Map<Watcher, string>();

  /** All of them, and the program as a whole, begin as serving. */
  constructor(serviceNames: readonly string[]) {
    for (const name of ['', ...serviceNames]) this.#serving.set(name, true);
  }

  /** Sets one service, or with no name the program and all of them. Watchers hear of it at once. */
  setServing(isServing: boolean, serviceName?: string): void {
    for (const name of serviceName === undefined ? [...this.#serving.keys()] : [serviceName]) {
      if (this.#serving.get(name) === isServing) continue;
      this.#serving.set(name, isServing);
      for (const [watcher, watched] of this.#watchers)
        if (watched === name) watcher.write(this.#answer(name));
    }
  }

  addTo(server: Server): void {
    const { check, watch } = Health.prototype;
    const definition = {
      check: method(check, HealthCheckRequest, HealthCheckResponse),
      watch: method(watch, HealthCheckRequest, HealthCheckResponse),
    };
    server.addService(definition, {
      check: (call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>) => {
        if (this.#serving.has(call.request.service)) {
          answer(null, this.#answer(call.request.service));
          return;
        }
        answer({
          code: statusCode.NOT_FOUND,
          details: `There is no service "${call.request.service}" here.`,
        });
      },
      watch: (call: Watcher) => this.#watch(call),
    });
  }

  /** Ends the streams of all watchers: a server with open streams does not shut down. */
  close(): void {
    for (const watcher of this.#watchers.keys()) watcher.end();
    this.#watchers.clear();
  }

  #watch(call: Watcher): void {
    call.on('error', () => this.#watchers.delete(call));
    call.on('cancelled', () => this.#watchers.delete(call));
    if (this.#watchers.size >= WATCHERS_MAX) {
      call.emit('error', {
        code: statusCode.RESOURCE_EXHAUSTED,
        details: `More than ${WATCHERS_MAX} watch.`,
      });
      return;
    }
    this.#watchers.set(call, call.request.service);
    call.write(this.#answer(call.request.service));
  }

  #answer(name: string): Response {
    const isServing = this.#serving.get(name);
    if (isServing === undefined) return { status: ServingStatus.SERVICE_UNKNOWN };
    return { status: isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING };
  }
}
