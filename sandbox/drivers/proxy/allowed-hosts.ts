/** The ports of the web, which an entry without a port means. */
const webPorts = [80, 443];

/** Whether a host and port may be reached. */
export type AllowedHosts = (host: string, port: number) => boolean;

/**
 * Reads a list of hosts: `example.org`, `*.example.org` (all below it, not itself), either with `:port`; without one, 80 and 443.
 *
 * @throws RangeError for an entry that is none of these
 */
export function allowedHosts(entries: readonly string[]): AllowedHosts {
  const rules = entries.map(readEntry);
  return (host, port) => {
    const name = host.toLowerCase().replace(/\.$/, '');
    return rules.some(
      (rule) =>
        rule.ports.includes(port) &&
        (rule.below ? name.endsWith(`.${rule.name}`) && name.length > rule.name.length + 1 : name === rule.name),
    );
  };
}

function readEntry(entry: string): { name: string; below: boolean; ports: readonly number[] } {
  const parts = /^(\*\.)?([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::(\d{1,5}))?$/i.exec(entry);
  const name = parts?.[2];
  if (name === undefined)
    throw new RangeError(`"${entry}" is no host (valid: "example.org", "*.example.org", "example.org:8443")`);
  return {
    name: name.toLowerCase(),
    below: parts?.[1] !== undefined,
    ports: parts?.[3] ? [Number(parts[3])] : webPorts,
  };
}
