import { describe, expect, it } from 'vitest';
import { asOrdinaryUser, noOrdinaryUser } from './testing/as-ordinary-user.ts';

const megabyte = 1_000_000;

/** What an ordinary user's host finds in a folder that this user has filled by a shell. */
async function found(fill: string): Promise<number> {
  const measure = `
    import { bytesIn } from '${import.meta.dirname}/folder-size.ts';
    console.log(await bytesIn('.'));
  `;
  const script = `
    folder=$(mktemp -d); cd $folder; ${fill}
    "$0" --input-type=module -e "$1"
    chmod -R u+rwx $folder; rm -r $folder
  `;
  return Number(await asOrdinaryUser('sh', '-c', script, process.execPath, measure));
}

describe.skipIf(noOrdinaryUser !== '')(`the size of a folder (${noOrdinaryUser || 'as an ordinary user'})`, () => {
  it.each(['000', '300', '400', '700'])('has what lies in a folder of mode %s in it', async (mode) => {
    const bytes = await found(`mkdir -p a/b; head -c ${3 * megabyte} /dev/zero > a/b/file; chmod ${mode} a`);
    expect(bytes).toBeGreaterThanOrEqual(3 * megabyte);
    expect(bytes).toBeLessThan(3.1 * megabyte);
  });

  it('has what such a folder lies beside in it, too', async () => {
    const bytes = await found(`mkdir a; chmod 000 a; head -c ${megabyte} /dev/zero > file`);
    expect(bytes).toBeGreaterThanOrEqual(megabyte);
    expect(bytes).toBeLessThan(1.1 * megabyte);
  });
});
