import { expect, test } from 'vitest';
import { listRelated, reduce } from '../../dashboard/graph/layout.ts';

const graph = {
  nodes: [
    { name: 'board', needs: ['user', 'auth', 'postgres', 'unknown'] },
    { name: 'user', needs: ['auth', 'postgres'] },
    { name: 'auth', needs: ['postgres'] },
    { name: 'postgres', needs: [] },
    { name: 'other', needs: [] },
  ],
};

test('a need that follows from another one is left out', () => {
  expect(reduce(graph).nodes.map(({ name, needs }) => [name, needs])).toEqual([
    ['board', ['user']],
    ['user', ['auth']],
    ['auth', ['postgres']],
    ['postgres', []],
    ['other', []],
  ]);
});

test('parts that need each other end, and keep a path', () => {
  const { nodes } = reduce({
    nodes: [
      { name: 'a', needs: ['b'] },
      { name: 'b', needs: ['a'] },
    ],
  });
  expect(nodes.map(({ needs }) => needs)).toEqual([['b'], ['a']]);
});

test('related is what a part needs, and what needs it', () => {
  expect([...listRelated(graph, 'auth')].toSorted()).toEqual(['auth', 'board', 'postgres', 'user']);
});
