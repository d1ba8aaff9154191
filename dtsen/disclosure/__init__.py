"""An agreement compiled to a plan, and the gate through which every person leaves."""
