import type { AddressInfo } from 'node:net';
import { fastify, type FastifyInstance } from 'fastify';
import type { Logger } from '@spillway/ports';

export interface HttpServer {
  readonly address: string;
  /** What `/readyz` answers: 200 or 503. */
  setReady(ready: boolean): void;
  close(): Promise<void>;
}

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
}

/** Health checks over HTTP. A port that is taken is no reason not to run: another free one is used, and said. */
export async function startHttp({ host, port, logger }: HttpOptions): Promise<HttpServer> {
  let ready = true;
  const app = fastify({ forceCloseConnections: true });
  app.get('/livez', () => ({ status: 'alive' }));
  app.get('/readyz', (_request, reply) =>
    reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'draining' }),
  );
  await listenOrElsewhere(app, host, port, logger);
  const bound = app.server.address() as AddressInfo;
  return {
    address: `${bound.address}:${bound.port}`,
    setReady: (isReady) => {
      ready = isReady;
    },
    close: () => app.close(),
  };
}

async function listenOrElsewhere(
  app: FastifyInstance,
  host: string,
  port: number,
  logger: Logger,
): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    await app.listen({ host, port: 0 });
    logger.warn({ event: 'http.port-taken', port }, `port ${port} is taken, serving HTTP on a free one`);
  }
}
