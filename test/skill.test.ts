import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseInput } from '../src/cli/parse.ts';
import { loadCommand } from '../src/commands/find-command.ts';
import { exitCodes } from '../src/lib/failure.ts';
import { connectMcp } from './fakes/mcp.ts';

const root = join(import.meta.dirname, '..');
const file = join(root, '.claude/skills/wealist-local/SKILL.md');
const text = readFileSync(file, 'utf8');

test('agents find it: its name is that of its folder, and its description says when to use it', () => {
  const { name, description, ...others } = parse(text.split('---\n')[1] ?? '');
  expect(name).toBe(basename(dirname(file)));
  expect(description).toMatch(/Use it to /);
  expect(description.length).toBeLessThanOrEqual(1024);
  expect(others).toEqual({});
});

test('it is short', () => {
  // About 650 tokens without the description, which agents read in any case.
  expect(Buffer.byteLength(text.split('---\n')[2] ?? '')).toBeLessThanOrEqual(2_400);
});

const lines = [...text.matchAll(/`npm run ([^`]+)`/g)].map(([, line = '']) => line.replace(/\s+/g, ' '));

test.each(lines)('npm run %s is a command with these arguments', async (line) => {
  const [name = '', ...words] = line.split(' ');
  const args = words[0] === '--' ? words.slice(1) : words;
  // A flag reaches the command only after a `--`.
  if (words[0] !== '--') expect(words.filter((word) => word.startsWith('-'))).toEqual([]);
  expect(parseInput(name, await loadCommand(name), args).help).toBeUndefined();
});

test('it has the lines of the loop', () => {
  const names = new Set(lines.map((line) => line.split(' ')[0]));
  expect(names).toEqual(new Set(['up', 'status', 'reload', 'why', 'logs', 'plan', 'doctor', 'down', 'db']));
});

test('it lists every exit code', () => {
  const section = text.split('## Exit codes\n')[1]?.split('\n## ')[0] ?? '';
  const codes = [...section.matchAll(/^- ([\d, ]+):/gm)].flatMap(([, each = '']) =>
    each.split(', ').map(Number),
  );
  expect(codes).toEqual(Object.values(exitCodes));
});

test('it names the tools of the MCP server', async () => {
  const { client } = await connectMcp(() => Promise.reject(new Error('nothing should run')));
  const { tools } = await client.listTools();
  const sentence = /where they are there: ([^.]+)\./.exec(text)?.[1] ?? '';
  expect([...sentence.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(tools.map(({ name }) => name));
});

test('AGENTS.md leads to it and to the MCP server, with links that exist', () => {
  const agents = readFileSync(join(root, 'AGENTS.md'), 'utf8');
  const links = [...agents.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path);
  expect(links).toEqual(expect.arrayContaining(['.claude/skills/wealist-local/SKILL.md', '.mcp.json']));
  expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test.each(['README.md', 'README.ko.md'])('%s names the skill and the MCP server', (readme) => {
  const content = readFileSync(join(root, readme), 'utf8');
  for (const name of ['SKILL.md', '.mcp.json', 'node src/bin.js mcp', '--read-only', '--allow-env']) {
    expect(content).toContain(name);
  }
});
