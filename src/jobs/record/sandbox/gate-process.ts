/**
 * A process in the network of a sandbox, but with the files of this machine. It connects to the ports that its parent names and hands the
 * connections over, and ends with its parent. `gate.ts` starts it.
 */
import { connect, type Socket } from 'node:net';

interface Request {
  readonly id: number;
  readonly port: number;
}

function answer(message: object, socket?: Socket): void {
  // The channel is closed when the parent has ended.
  if (process.connected) process.send?.(message, socket, {}, () => {});
}

function open(host: string, { id, port }: Request, failed: (error: Error) => void): void {
  const socket = connect({ host, port });
  // Nothing may be read here: it would be missing in the parent.
  socket.pause();
  socket.once('error', failed);
  socket.once('connect', () => answer({ id }, socket));
}

process.on('message', (request: Request) => {
  const { id } = request;
  open('127.0.0.1', request, (first) => open('::1', request, () => answer({ id, error: first.message })));
});
process.on('disconnect', () => process.exit());
answer({ ready: true });
