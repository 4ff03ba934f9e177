/** Connections to the ports of a recorded program. What runs probes gets a `Dial` that fits the network of the program. */
import { connect, type Socket } from 'node:net';

/** Connects to a port on the loopback of the program. Rejects where nothing listens, and with the signal's reason. */
export type Dial = (port: number, signal: AbortSignal) => Promise<Socket>;

/** Connects to a program in the network of this process: by IPv4, else by IPv6. */
export const dialHere: Dial = async (port, signal) => {
  try {
    return await connectTo('127.0.0.1', port, signal);
  } catch (error) {
    signal.throwIfAborted();
    return connectTo('::1', port, signal).catch(() => {
      signal.throwIfAborted();
      throw error;
    });
  }
};

function connectTo(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      // From here on, errors are those of the connection's user. One that it does not watch must not end this process.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
