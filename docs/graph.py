"""The pictures of TensorBoard's graph tab for docs/make.py: the graph alone, its labels upright."""

import io
import time

from PIL import Image

from docs.browser import GraphTab

SVG, DRAWN = 'svg#svg', 'return found[0].outerHTML;'
# JavaScript: a slow clock. When a box moves, TensorBoard lets the edges inside it end where its
# border was one step before the last. With many small steps that is where the border is.
SLOWLY = """
const now = performance.now.bind(performance), start = now();
performance.now = () => start + (now() - start) / 30;
"""
# JavaScript: a copy of the graph (`found[0]`) over all else, with the styles that TensorBoard's
# elements give it. Edges' labels run along them; in the copy they are upright, each at the first
# place on its edge where no box and no other label is in the way. The copy shows what matches the
# selector `arguments[1]`.
COPY = """
const svg = found[0], copy = svg.cloneNode(true), to = copy.querySelectorAll('*'), taken = [];
const looks = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'display', 'opacity',
  'visibility', 'font-size', 'font-family', 'text-anchor'];
for (const box of svg.querySelectorAll('g.node:not(.expanded) > g.nodeshape')) {
  const r = box.getBoundingClientRect();
  taken.push([r.x + r.width / 2, r.y + r.height / 2, r.width / 2, r.height / 2]);
}
svg.querySelectorAll('*').forEach((element, i) => {
  const style = getComputedStyle(element);
  for (const look of looks) to[i].style[look] = style[look];
  if (!element.matches('g.edge textPath')) return;
  const line = element.closest('g.edge').querySelector('path.edgeline');
  const points = [.5, .4, .6, .3, .7].map(x => line.getPointAtLength(x * line.getTotalLength()));
  const inside = line.getScreenCTM(), room = point => taken.every(
    ([x, y, w, h]) => Math.abs(point.x - x) > w + 15 * inside.a || Math.abs(point.y - y) > h + 4);
  const seen = points.map(point => point.matrixTransform(inside));
  const place = Math.max(seen.findIndex(room), 0), label = to[i].parentNode;
  taken.push([seen[place].x, seen[place].y, 15 * inside.a, 4 * inside.a]);
  label.textContent = element.textContent;
  label.setAttribute('x', points[place].x);
  label.setAttribute('y', points[place].y);
  label.style.cssText = 'font: 6px sans-serif; text-anchor: middle; dominant-baseline: central;' +
    'fill: black; stroke: white; stroke-width: 2px; paint-order: stroke';
});
const frame = svg.getBoundingClientRect();
const all = [...svg.querySelectorAll(arguments[1])].map(e => e.getBoundingClientRect());
const left = Math.min(...all.map(r => r.left)) - 10, top = Math.min(...all.map(r => r.top)) - 10;
const width = Math.max(...all.map(r => r.right)) + 10 - left;
const height = Math.max(...all.map(r => r.bottom)) + 10 - top;
copy.setAttribute('viewBox', [left - frame.left, top - frame.top, width, height].join(' '));
copy.style.cssText = 'position: fixed; left: 0; top: 0; z-index: 99999; background: white;' +
  `width: 640px; height: ${640 * height / width}px`;
document.body.append(copy);
return copy;
"""


def pictures(address):
    """Return two pictures of the graph at TensorBoard's `address`: whole, and Critic over Actor."""
    tab = GraphTab(address)
    try:
        tab.run(SLOWLY, SVG)
        whole = _picture(tab, 'g.node, g.edge')
        for name in ('Actor', 'Critic'):
            tab.open(name, f'{name}/eval_net')
            _rest(tab)
        box = 'g.node[data-name="{}"] > g.nodeshape'.format
        critic, actor = _picture(tab, box('Critic')), _picture(tab, box('Actor'))
    finally:
        tab.close()
    both = Image.new('RGB', (critic.width, critic.height + actor.height))
    both.paste(critic, (0, 0))
    both.paste(actor, (0, critic.height))
    return whole, both


def _picture(tab, selector):
    """Return a picture of what matches the selector, with no box chosen."""
    _rest(tab)
    tab.run('found[0].dispatchEvent(new MouseEvent("click"));', SVG)
    _rest(tab)
    copy = tab.run(COPY, SVG, selector)
    shown = Image.open(io.BytesIO(copy.screenshot_as_png)).convert('RGB')
    tab.browser.execute_script('arguments[0].remove()', copy)
    return shown


def _rest(tab):
    """Wait until the graph has stopped moving."""
    before, now = None, tab.run(DRAWN, SVG)
    while now != before:
        time.sleep(2)
        before, now = now, tab.run(DRAWN, SVG)
