import type { RequestHandler } from 'express';
import { ForbiddenError } from '../errors.ts';
import { isLoopback } from './address-policy.ts';

/**
 * Protection against DNS rebinding, where a page in somebody's browser reaches a server on their machine under a name of its
 * own: the Host header, and Origin where there is one, must name this machine or one of `hosts`. Ports do not matter, because
 * a proxy in front changes them.
 *
 * @param hosts host names such as PUBLIC_URL's, with or without a port
 * @throws ForbiddenError (`host_not_allowed`), into Express
 */
export function allowHosts(hosts: readonly string[]): RequestHandler {
  const allowed = new Set(hosts.map((host) => nameOf(`http://${host}`)));
  const mayPass = (name: string | undefined) => name !== undefined && (allowed.has(name) || isThisMachine(name));
  return (request, _response, next) => {
    const { host, origin } = request.headers;
    if (!mayPass(host && nameOf(`http://${host}`))) {
      next(
        new ForbiddenError(
          'the Host header names neither PUBLIC_URL nor this machine: set PUBLIC_URL',
          'host_not_allowed',
        ),
      );
    } else if (origin !== undefined && !mayPass(nameOf(origin))) {
      next(new ForbiddenError('the Origin header names neither PUBLIC_URL nor this machine', 'host_not_allowed'));
    } else {
      next();
    }
  };
}

/** The host name of a URL in one spelling, or undefined where there is none (`Origin: null`). */
function nameOf(url: string): string | undefined {
  const name = URL.parse(url)?.hostname.replace(/^\[(.*)\]$/, '$1');
  return name === '' ? undefined : name;
}

function isThisMachine(name: string): boolean {
  return name === 'localhost' || isLoopback(name);
}
