/**
 * Keeps the page as high as what can be seen of it: on some phones the on-screen keyboard covers a page instead of making it smaller,
 * and the picture would be behind it.
 */
export function followVisibleHeight(): void {
  const visible = window.visualViewport;
  if (!visible) return;
  const follow = (): void => {
    document.documentElement.style.setProperty('--visible-height', `${visible.height}px`);
    scrollTo(0, 0);
  };
  visible.addEventListener('resize', follow);
  follow();
}
