// Starts the application, which takes over the body. Should it fail to start, the window says why in place of staying
// empty.
try {
  const { default: start } = await import("/patchbay.js");
  await start({ module_or_path: "/patchbay_bg.wasm" });
} catch (error) {
  const message = document.createElement("p");
  message.id = "boot";
  message.setAttribute("role", "alert");
  message.textContent = `Patchbay's page could not start: ${error}. Build it again with \`cargo xtask dist\`.`;
  document.body.replaceChildren(message);
}
