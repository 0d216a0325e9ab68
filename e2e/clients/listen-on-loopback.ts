import { Server } from 'node:net';

/*
 * Loaded into another program (`node --import`): a server that it would open on every interface is opened on 127.0.0.1 alone.
 */
const listen = Server.prototype.listen;

Server.prototype.listen = function listenOnLoopback(this: Server, ...args: unknown[]): Server {
  const [port, ...rest] = args;
  const isPort = typeof port === 'number' && typeof rest[0] !== 'string';
  return Reflect.apply(listen, this, isPort ? [port, '127.0.0.1', ...rest] : args);
};
