"""The main job: from the inbox through the workers into the register, one paper one transaction."""
