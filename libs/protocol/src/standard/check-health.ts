/** The asking side of grpc.health.v1.Health: one question to one program, as a container's health check asks it. */
import { grpc } from '@spillway/proto';
import { Caller, type CallerOptions } from '../queries/caller.js';

const { Health, HealthCheckRequest, HealthCheckResponse } = grpc.health.v1;
const { ServingStatus } = HealthCheckResponse;

export interface HealthCheckOptions extends CallerOptions {
  /** Full name of one of the program's services; without it, the program as a whole. */
  readonly service?: string;
}

/**
 * Whether a program serves. Rejects with `ClusterUnreachableError` when nobody listens, `DeadlineExceededError` when
 * nobody answers in time, and `InvalidArgumentError` for a service the program does not have.
 */
export async function checkHealth({ service = '', ...options }: HealthCheckOptions): Promise<boolean> {
  const caller = new Caller(options);
  try {
    const request = { codec: HealthCheckRequest, message: { service } };
    const { status } = await caller.unary(Health.prototype.check, request, HealthCheckResponse);
    return status === ServingStatus.SERVING;
  } finally {
    caller.close();
  }
}
