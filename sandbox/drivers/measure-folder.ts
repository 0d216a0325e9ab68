/** Prints how many bytes a folder holds: run by folder-size.ts, with more rights than a host has. */
import { sizeOf } from './folder-size.ts';

const { bytes } = await sizeOf(process.argv[2] ?? '');
process.stdout.write(String(bytes));
