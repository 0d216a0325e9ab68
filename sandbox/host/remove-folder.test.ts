import { expect, it } from 'vitest';
import { asOrdinaryUser, noOrdinaryUser } from '../drivers/testing/as-ordinary-user.ts';

it.skipIf(noOrdinaryUser !== '')(
  'removes a folder in which somebody has shut others, as an ordinary user too',
  async () => {
    const remove = `
    import { removeFolder } from '${import.meta.dirname}/remove-folder.ts';
    await removeFolder(process.argv[1]);
    await removeFolder(process.argv[1]);
  `;
    const script = `
    folder=$(mktemp -d); cd $folder; mkdir -p a/b/c outside; ln -s ../outside a/link; chmod 000 a/b; chmod 300 a; chmod 500 outside
    "$0" --input-type=module -e "$1" $folder/a
    stat -c '%n %a' *; chmod 700 outside; rm -r $folder
  `;
    expect(await asOrdinaryUser('sh', '-c', script, process.execPath, remove)).toBe('outside 500\n');
  },
);
