import type { ChannelOptions } from '@grpc/grpc-js';
import { CONTROL_MESSAGE_BYTES_MAX } from '@spillway/messages';

/** A peer whose machine or network is gone without a word is noticed after 20 + 10 seconds by HTTP/2 pings alone. */
const KEEPALIVE = {
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
};

const LIMITS = {
  'grpc.max_receive_message_length': CONTROL_MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': CONTROL_MESSAGE_BYTES_MAX,
  'grpc.enable_channelz': 0,
};

/**
 * Options of control channels. Each has connections of its own: a shared one would also share back-off after a
 * failure, which the session does better. gRPC's own retries keep copies of what was sent; sessions do that.
 */
export const CONTROL_CHANNEL_OPTIONS: ChannelOptions = {
  ...KEEPALIVE,
  ...LIMITS,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
};

export const CONTROL_SERVER_OPTIONS: ChannelOptions = { ...KEEPALIVE, ...LIMITS };
