import { expect, test } from 'vitest';
import { findToolSchemaProblem } from '../../e2e/stand-ins/tool-schema.ts';
import { listingOfTools } from '../mcp/tool-listing.ts';
import { allTools } from './index.ts';
import { toolNames } from './tool-names.ts';

test('every tool has its name in the list that grants are made of, and the other way round', () => {
  expect(allTools.map((tool) => tool.name).sort()).toEqual([...toolNames]);
});

test('only what looks may be called read-only, and what is read-only changes no organisation', () => {
  for (const { name, readOnly, changesOrganisation } of allTools) {
    expect(/^(list|get|read)_|^stream_members$/.test(name), name).toBe(readOnly);
    expect(readOnly && changesOrganisation, name).toBe(false);
  }
});

test.each(listingOfTools(toolNames))('a strict client takes the schema of $name', ({ inputSchema }) => {
  expect(findToolSchemaProblem(inputSchema)).toBeUndefined();
});
